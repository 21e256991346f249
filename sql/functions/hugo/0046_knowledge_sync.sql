-- depends: 0045_knowledge_content_hash
-- The way of an entry to the external vector store: queued, leased by a worker, completed with the hash of what the
-- worker has read. A lease that runs out is offered again; an entry that changed meanwhile stays queued.
CREATE FUNCTION queue_knowledge_sync()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
BEGIN
    INSERT INTO knowledge_sync_queue (entry_id)
    VALUES (new.id)
    ON CONFLICT (entry_id) DO UPDATE SET queued_at = clock_timestamp();
    RETURN NULL;
END;
$$;
REVOKE ALL ON FUNCTION queue_knowledge_sync() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION queue_knowledge_sync() IS 'Trigger: a new or changed entry waits for its vector.';

CREATE FUNCTION queue_new_knowledge()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
BEGIN
    INSERT INTO knowledge_sync_queue (entry_id) SELECT n.id FROM new_rows AS n;
    RETURN NULL;
END;
$$;
REVOKE ALL ON FUNCTION queue_new_knowledge() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION queue_new_knowledge() IS 'Trigger: new entries wait for their vectors.';

CREATE FUNCTION sync_knowledge_to_vector(p_batch_size integer DEFAULT 100)
RETURNS TABLE (id uuid, title text, content text, content_hash text)
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
BEGIN
    RETURN QUERY
    WITH leased AS (
        UPDATE knowledge_sync_queue AS q
        SET leased_until = clock_timestamp() + interval '10 minutes'
        WHERE q.entry_id = ANY(
            ARRAY(
                SELECT w.entry_id
                FROM knowledge_sync_queue AS w
                WHERE w.leased_until IS NULL OR w.leased_until < clock_timestamp()
                ORDER BY w.queued_at, w.entry_id
                LIMIT least(greatest(coalesce(p_batch_size, 100), 1), 1000)
                FOR UPDATE SKIP LOCKED
            )
        )
        RETURNING q.entry_id, q.queued_at
    )
    SELECT ke.id, ke.title, ke.content, knowledge_content_hash(ke.title, ke.content)
    FROM leased AS l
    INNER JOIN knowledge_entries AS ke ON l.entry_id = ke.id
    ORDER BY l.queued_at, ke.id;
END;
$$;
REVOKE ALL ON FUNCTION sync_knowledge_to_vector(integer) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION sync_knowledge_to_vector(integer) IS
'Leases up to p_batch_size (1 to 1000) entries that need a vector to the caller, for ten minutes. For service_role.';

CREATE FUNCTION set_knowledge_vector(p_entry_id uuid, p_vector_store_id text, p_content_hash text)
RETURNS boolean
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
DECLARE
    v_hash text;
BEGIN
    IF platform.is_not_blank(p_vector_store_id) IS NOT TRUE THEN
        RAISE EXCEPTION USING
            ERRCODE = 'invalid_parameter_value',
            MESSAGE = 'p_vector_store_id is missing',
            HINT = 'Give the key under which the vector store keeps the entry.';
    END IF;
    -- Locks the entry: who changes it now waits, and queues it again afterwards.
    SELECT knowledge_content_hash(ke.title, ke.content) INTO v_hash
    FROM knowledge_entries AS ke
    WHERE ke.id = p_entry_id
    FOR NO KEY UPDATE;

    IF v_hash = p_content_hash THEN
        UPDATE knowledge_entries AS ke SET vector_store_id = p_vector_store_id WHERE ke.id = p_entry_id;
        DELETE FROM knowledge_sync_queue AS q WHERE q.entry_id = p_entry_id;
        RETURN TRUE;
    END IF;
    -- Offered again at once, unless another worker leased it after the change: that one has what it says now.
    UPDATE knowledge_sync_queue AS q
    SET leased_until = NULL
    WHERE q.entry_id = p_entry_id AND q.leased_until < q.queued_at + interval '10 minutes';
    RETURN FALSE;
END;
$$;
REVOKE ALL ON FUNCTION set_knowledge_vector(uuid, text, text) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION set_knowledge_vector(uuid, text, text) IS
'Completes the sync of an entry; false where the entry has changed since it was read (it stays queued) or is gone. '
'For service_role.';

CREATE TRIGGER knowledge_entries_queue_insert
AFTER INSERT ON knowledge_entries
REFERENCING NEW TABLE AS new_rows
FOR EACH STATEMENT
EXECUTE FUNCTION queue_new_knowledge();

CREATE TRIGGER knowledge_entries_queue_update
AFTER UPDATE ON knowledge_entries
FOR EACH ROW
WHEN ((old.title, old.content) IS DISTINCT FROM (new.title, new.content))
EXECUTE FUNCTION queue_knowledge_sync();
