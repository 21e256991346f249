-- depends: 0031_progress_totals
-- last_updated_at is this table's updated_at; totals do not move it.
CREATE FUNCTION update_last_updated_at_column()
RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
BEGIN
    IF (old.total_conversations, old.total_messages) IS DISTINCT FROM (new.total_conversations, new.total_messages)
        AND (old.progress_data, old.milestones_reached, old.current_focus_area)
        IS NOT DISTINCT FROM (new.progress_data, new.milestones_reached, new.current_focus_area)
    THEN
        new.last_updated_at := old.last_updated_at;
    ELSE
        new.last_updated_at := now();
    END IF;
    RETURN new;
END;
$$;
REVOKE ALL ON FUNCTION update_last_updated_at_column() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION update_last_updated_at_column() IS
'Trigger: moves last_updated_at, unless only totals have changed.';

CREATE TRIGGER user_progress_immutable
BEFORE UPDATE ON user_progress
FOR EACH ROW
WHEN ((old.id, old.user_id, old.app_id) IS DISTINCT FROM (new.id, new.user_id, new.app_id))
EXECUTE FUNCTION platform.refuse_change('user_progress', 'up_immutable_check', 'id', 'user_id', 'app_id');

CREATE TRIGGER user_progress_maintain
BEFORE INSERT OR UPDATE ON user_progress
FOR EACH ROW
EXECUTE FUNCTION platform.maintain_columns(
    '{"total_conversations": 0, "total_messages": 0}', '{"started_at": "now", "last_updated_at": "now"}'
);

CREATE TRIGGER user_progress_updated_at
BEFORE UPDATE ON user_progress
FOR EACH ROW
EXECUTE FUNCTION update_last_updated_at_column();
