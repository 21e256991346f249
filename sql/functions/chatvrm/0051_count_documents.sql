-- depends: 0050_document_chunks_triggers
-- knowledge_bases.document_count and total_chunks, by statement: however many rows come at once, each knowledge base is
-- updated once, in one order, so that two bulk loads never wait for each other in a circle. Chunks that go with their
-- document are known by its chunk_count.
CREATE FUNCTION count_documents()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
DECLARE
    v_ids uuid[];
    v_documents bigint[];
    v_chunks bigint[];
BEGIN
    -- A branch for each event: a transition table exists only where its event declares it.
    IF tg_op = 'INSERT' THEN
        SELECT array_agg(c.id), array_agg(c.documents), array_agg(c.chunks) INTO v_ids, v_documents, v_chunks
        FROM (
            SELECT n.knowledge_base_id, count(*), sum(n.chunk_count) FROM new_rows AS n GROUP BY 1 ORDER BY 1
        ) AS c (id, documents, chunks);
    ELSIF tg_op = 'DELETE' THEN
        SELECT array_agg(c.id), array_agg(-c.documents), array_agg(-c.chunks) INTO v_ids, v_documents, v_chunks
        FROM (
            SELECT o.knowledge_base_id, count(*), sum(o.chunk_count) FROM old_rows AS o GROUP BY 1 ORDER BY 1
        ) AS c (id, documents, chunks);
    ELSE
        -- Of documents that moved; those whose chunks changed are counted by count_chunks().
        SELECT array_agg(c.id), array_agg(c.documents), array_agg(c.chunks) INTO v_ids, v_documents, v_chunks
        FROM (
            SELECT r.knowledge_base_id, sum(r.documents), sum(r.chunks)
            FROM (
                SELECT n.id, n.knowledge_base_id, 1, n.chunk_count FROM new_rows AS n
                UNION ALL
                SELECT o.id, o.knowledge_base_id, -1, -o.chunk_count FROM old_rows AS o
            ) AS r (id, knowledge_base_id, documents, chunks)
            WHERE r.id IN (
                SELECT p.id
                FROM (
                    SELECT n.id, n.knowledge_base_id FROM new_rows AS n
                    UNION
                    SELECT o.id, o.knowledge_base_id FROM old_rows AS o
                ) AS p (id, knowledge_base_id)
                GROUP BY p.id
                HAVING count(*) > 1
            )
            GROUP BY 1
            ORDER BY 1
        ) AS c (id, documents, chunks);
    END IF;

    FOR i IN 1..coalesce(cardinality(v_ids), 0) LOOP
        UPDATE knowledge_bases AS kb
        SET document_count = kb.document_count + v_documents[i], total_chunks = kb.total_chunks + v_chunks[i]
        WHERE kb.id = v_ids[i];
    END LOOP;
    RETURN NULL;
END;
$$;
REVOKE ALL ON FUNCTION count_documents() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION count_documents() IS 'Trigger: keeps document_count and total_chunks of knowledge bases.';

CREATE TRIGGER documents_count_insert
AFTER INSERT ON documents
REFERENCING NEW TABLE AS new_rows
FOR EACH STATEMENT
EXECUTE FUNCTION count_documents();

CREATE TRIGGER documents_count_delete
AFTER DELETE ON documents
REFERENCING OLD TABLE AS old_rows
FOR EACH STATEMENT
EXECUTE FUNCTION count_documents();

CREATE TRIGGER documents_count_move
AFTER UPDATE ON documents
REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
FOR EACH STATEMENT
EXECUTE FUNCTION count_documents();
