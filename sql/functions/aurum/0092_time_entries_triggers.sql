-- depends: 0091_expire_insights
-- is_active is what end_time says, whatever is written.
CREATE FUNCTION keep_time_entry_active()
RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
BEGIN
    new.is_active := new.end_time IS NULL;
    RETURN new;
END;
$$;
REVOKE ALL ON FUNCTION keep_time_entry_active() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION keep_time_entry_active() IS 'Trigger: a time entry is active while it has no end.';

CREATE TRIGGER time_entries_active
BEFORE INSERT OR UPDATE ON time_entries
FOR EACH ROW
WHEN (new.is_active IS DISTINCT FROM (new.end_time IS NULL))
EXECUTE FUNCTION keep_time_entry_active();

CREATE TRIGGER time_entries_immutable
BEFORE UPDATE ON time_entries
FOR EACH ROW
WHEN ((old.id, old.user_id) IS DISTINCT FROM (new.id, new.user_id))
EXECUTE FUNCTION platform.refuse_change('time_entries', 'time_entries_immutable_check', 'id', 'user_id');

CREATE TRIGGER time_entries_maintain
BEFORE INSERT OR UPDATE ON time_entries
FOR EACH ROW
EXECUTE FUNCTION platform.maintain_columns('{}', '{"created_at": "now"}');

CREATE TRIGGER time_entries_updated_at
BEFORE UPDATE ON time_entries
FOR EACH ROW
EXECUTE FUNCTION platform.update_updated_at_column();
