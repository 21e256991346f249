-- depends: 0038_archive_old_conversations
-- A NULL in last_accessed_at compares with nothing: never accessed counts from creation.
CREATE FUNCTION decay_memory_importance()
RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    UPDATE user_memories AS um
    SET importance = greatest(0.0, um.importance - um.relevance_decay_rate)
    WHERE
        coalesce(um.last_accessed_at, um.created_at) < now() - interval '30 days'
        AND um.importance > 0.0
        AND um.relevance_decay_rate > 0.0;
END;
REVOKE ALL ON FUNCTION decay_memory_importance() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION decay_memory_importance() IS
'Lowers the importance of memories not accessed for 30 days (never accessed: since creation), not below 0. A job.';
