-- depends: 0032_chunks_triggers
-- A definer function: under row-level security the index that finds the memories of a document could not be used. It
-- shows the caller's own documents only.
CREATE FUNCTION get_document_with_stats(doc_id uuid)
RETURNS TABLE (
    id uuid,
    filename text,
    file_type text,
    file_size integer,
    storage_path text,
    project_id uuid,
    user_id uuid,
    processing_status text,
    processed_at timestamptz,
    error_message text,
    page_count integer,
    word_count integer,
    created_at timestamptz,
    chunk_count bigint,
    memory_count bigint
)
LANGUAGE plpgsql
STABLE SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
BEGIN
    RETURN QUERY
    SELECT
        d.id,
        d.filename,
        d.file_type,
        d.file_size,
        d.storage_path,
        d.project_id,
        d.user_id,
        d.processing_status,
        d.processed_at,
        d.error_message,
        d.page_count,
        d.word_count,
        d.created_at,
        (SELECT count(*) FROM chunks AS c WHERE c.document_id = d.id),
        (
            SELECT count(*)
            FROM memories AS m
            WHERE
                m.user_id = d.user_id
                AND m.source_type = 'document'
                AND m.source_ref ->> 'document_id' = d.id::text
                AND m.is_active
        )
    FROM documents AS d
    WHERE d.id = doc_id AND (d.user_id = current_user_id() OR platform.is_service());
    IF NOT found THEN
        RAISE EXCEPTION USING
            ERRCODE = 'no_data_found',
            MESSAGE = format('there is no document %s', doc_id),
            HINT = 'Give the id of a document of your own.',
            CONSTRAINT = 'documents_pkey',
            TABLE = 'documents',
            SCHEMA = current_schema();
    END IF;
END;
$$;
REVOKE ALL ON FUNCTION get_document_with_stats(uuid) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION get_document_with_stats(uuid) IS
'A document of the caller with the number of its chunks and of the active memories derived from it.';
