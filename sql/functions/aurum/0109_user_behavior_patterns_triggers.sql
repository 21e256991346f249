-- depends: 0108_user_profiles_triggers
-- As for reflections.
CREATE TRIGGER user_behavior_patterns_immutable
BEFORE UPDATE ON user_behavior_patterns
FOR EACH ROW
WHEN ((old.id, old.user_id, old.created_at) IS DISTINCT FROM (new.id, new.user_id, new.created_at))
EXECUTE FUNCTION platform.refuse_change(
    'user_behavior_patterns', 'user_behavior_patterns_immutable_check', 'id', 'user_id', 'created_at'
);

CREATE TRIGGER user_behavior_patterns_updated_at
BEFORE UPDATE ON user_behavior_patterns
FOR EACH ROW
EXECUTE FUNCTION platform.update_updated_at_column();
