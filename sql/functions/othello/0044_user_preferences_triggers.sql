-- depends: 0043_override_validation
-- What never changes, and what the database keeps.
CREATE TRIGGER user_preferences_id
BEFORE INSERT ON user_preferences
FOR EACH ROW
WHEN (NOT platform.is_service())
EXECUTE FUNCTION assign_id('user_preferences');

CREATE TRIGGER user_preferences_immutable
BEFORE UPDATE ON user_preferences
FOR EACH ROW
WHEN ((old.id, old.user_id) IS DISTINCT FROM (new.id, new.user_id))
EXECUTE FUNCTION platform.refuse_change('user_preferences', 'user_preferences_immutable_check', 'id', 'user_id');

CREATE TRIGGER user_preferences_maintain
BEFORE UPDATE ON user_preferences
FOR EACH ROW
EXECUTE FUNCTION platform.maintain_columns('{}', '{"created_at": "now"}');

-- For inserts alone: by its name an update trigger would fire after the next one, and undo it.
CREATE TRIGGER user_preferences_maintain_new
BEFORE INSERT ON user_preferences
FOR EACH ROW
EXECUTE FUNCTION platform.maintain_columns('{}', '{"created_at": "now", "updated_at": "now"}');

CREATE TRIGGER update_user_preferences_updated_at
BEFORE UPDATE ON user_preferences
FOR EACH ROW
EXECUTE FUNCTION platform.update_updated_at_column();
