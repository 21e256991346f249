-- depends: 0044_user_preferences_triggers
-- A session stays with the user it was opened for.
CREATE TRIGGER session_logs_immutable
BEFORE UPDATE ON session_logs
FOR EACH ROW
WHEN ((old.id, old.user_id) IS DISTINCT FROM (new.id, new.user_id))
EXECUTE FUNCTION platform.refuse_change('session_logs', 'session_logs_immutable_check', 'id', 'user_id');
