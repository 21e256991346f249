-- depends: 0032_user_progress_triggers
-- A memory belongs to one person for good, and expires with their retention.
CREATE FUNCTION fill_memory_expiry()
RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
BEGIN
    new.expires_at := (
        SELECT new.created_at + make_interval(days => u.data_retention_days)
        FROM users AS u
        WHERE u.id = new.user_id
    );
    RETURN new;
END;
$$;
REVOKE ALL ON FUNCTION fill_memory_expiry() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION fill_memory_expiry() IS
'Trigger: a memory expires after its user''s retention unless it says otherwise.';

CREATE TRIGGER user_memories_immutable
BEFORE UPDATE ON user_memories
FOR EACH ROW
WHEN ((old.id, old.user_id) IS DISTINCT FROM (new.id, new.user_id))
EXECUTE FUNCTION platform.refuse_change('user_memories', 'um_immutable_check', 'id', 'user_id');

CREATE TRIGGER user_memories_a_maintain
BEFORE INSERT OR UPDATE ON user_memories
FOR EACH ROW
EXECUTE FUNCTION platform.maintain_columns('{}', '{"created_at": "now"}');

-- Fires after user_memories_a_maintain has settled created_at.
CREATE TRIGGER user_memories_expiry
BEFORE INSERT ON user_memories
FOR EACH ROW
WHEN (new.expires_at IS NULL)
EXECUTE FUNCTION fill_memory_expiry();
