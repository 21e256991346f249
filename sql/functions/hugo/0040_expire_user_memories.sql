-- depends: 0039_decay_memory_importance
-- Both conditions, since expires_at was set under the retention of its time and the user may have shortened it.
CREATE FUNCTION expire_user_memories()
RETURNS void
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
BEGIN
    DELETE FROM user_memories AS um
    USING users AS u
    WHERE u.id = um.user_id
        AND (
            um.expires_at < now()
            OR um.created_at < now() - make_interval(days => u.data_retention_days)
        );
END;
$$;
REVOKE ALL ON FUNCTION expire_user_memories() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION expire_user_memories() IS
'Deletes memories that have expired or are older than their user''s present retention. A job.';
