-- depends: 0051_count_documents
-- documents.chunk_count and knowledge_bases.total_chunks, first all documents, then all knowledge bases, each in one
-- order. Chunks that go with their document are counted by count_documents().
CREATE FUNCTION count_chunks()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
DECLARE
    v_ids uuid[];
    v_chunks bigint[];
    v_base uuid;
    v_bases uuid[] := '{}'::uuid[];
    v_of_base bigint[] := '{}'::bigint[];
    v_change record;
BEGIN
    IF tg_op = 'INSERT' THEN
        SELECT array_agg(c.id), array_agg(c.chunks) INTO v_ids, v_chunks
        FROM (SELECT n.document_id, count(*) FROM new_rows AS n GROUP BY 1 ORDER BY 1) AS c (id, chunks);
    ELSE
        SELECT array_agg(c.id), array_agg(-c.chunks) INTO v_ids, v_chunks
        FROM (SELECT o.document_id, count(*) FROM old_rows AS o GROUP BY 1 ORDER BY 1) AS c (id, chunks);
    END IF;

    FOR i IN 1..coalesce(cardinality(v_ids), 0) LOOP
        UPDATE documents AS d SET chunk_count = d.chunk_count + v_chunks[i] WHERE d.id = v_ids[i]
        RETURNING d.knowledge_base_id INTO v_base;
        IF found THEN
            v_bases := v_bases || v_base;
            v_of_base := v_of_base || v_chunks[i];
        END IF;
    END LOOP;
    FOR v_change IN
        SELECT
            b.id,
            sum(b.chunks)::bigint AS chunks
        FROM unnest(v_bases, v_of_base) AS b (id, chunks)
        GROUP BY b.id
        ORDER BY b.id
    LOOP
        UPDATE knowledge_bases AS kb SET total_chunks = kb.total_chunks + v_change.chunks WHERE kb.id = v_change.id;
    END LOOP;
    RETURN NULL;
END;
$$;
REVOKE ALL ON FUNCTION count_chunks() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION count_chunks() IS 'Trigger: keeps chunk_count of documents and total_chunks of knowledge bases.';

CREATE TRIGGER document_chunks_count_insert
AFTER INSERT ON document_chunks
REFERENCING NEW TABLE AS new_rows
FOR EACH STATEMENT
EXECUTE FUNCTION count_chunks();

CREATE TRIGGER document_chunks_count_delete
AFTER DELETE ON document_chunks
REFERENCING OLD TABLE AS old_rows
FOR EACH STATEMENT
EXECUTE FUNCTION count_chunks();
