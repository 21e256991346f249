-- depends: 0024_knowledge_entries_triggers
-- One UPDATE each, so that no count is lost between a read and a write. Many entries are locked in one order.
CREATE FUNCTION increment_ke_access(entry_id uuid)
RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    UPDATE knowledge_entries AS ke
    SET access_count = ke.access_count + 1, last_accessed_at = now()
    WHERE ke.id = increment_ke_access.entry_id;
END;
REVOKE ALL ON FUNCTION increment_ke_access(uuid) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION increment_ke_access(uuid) IS 'Counts one access of a knowledge entry. For service_role.';

CREATE FUNCTION increment_knowledge_access(entry_ids uuid[])
RETURNS void
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
BEGIN
    PERFORM 1 FROM knowledge_entries AS ke WHERE ke.id = ANY(entry_ids) ORDER BY ke.id FOR NO KEY UPDATE;
    UPDATE knowledge_entries AS ke
    SET access_count = ke.access_count + c.accesses, last_accessed_at = now()
    FROM (SELECT e.id, count(*) FROM unnest(entry_ids) AS e (id) GROUP BY e.id) AS c (id, accesses)
    WHERE ke.id = c.id;
END;
$$;
REVOKE ALL ON FUNCTION increment_knowledge_access(uuid[]) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION increment_knowledge_access(uuid[]) IS
'Counts an access of each knowledge entry named, one for each time it is named. For service_role.';
