-- depends: 0031_messages_triggers
-- What never changes, and what the database keeps.
CREATE TRIGGER psychological_profiles_id
BEFORE INSERT ON psychological_profiles
FOR EACH ROW
WHEN (NOT platform.is_service())
EXECUTE FUNCTION assign_id('psychological_profiles');

CREATE TRIGGER psychological_profiles_immutable
BEFORE UPDATE ON psychological_profiles
FOR EACH ROW
WHEN ((old.id, old.user_id) IS DISTINCT FROM (new.id, new.user_id))
EXECUTE FUNCTION platform.refuse_change(
    'psychological_profiles', 'psychological_profiles_immutable_check', 'id', 'user_id'
);

CREATE TRIGGER psychological_profiles_maintain
BEFORE INSERT OR UPDATE ON psychological_profiles
FOR EACH ROW
EXECUTE FUNCTION platform.maintain_columns('{}', '{"created_at": "now", "updated_at": "now"}');

CREATE TRIGGER update_psychological_profiles_updated_at
BEFORE UPDATE ON psychological_profiles
FOR EACH ROW
EXECUTE FUNCTION platform.update_updated_at_column();
