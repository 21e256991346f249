-- depends: 0107_ai_conversation_memory_triggers
-- A profile is its user's, but for the tier.
CREATE TRIGGER user_profiles_immutable
BEFORE UPDATE ON user_profiles
FOR EACH ROW
WHEN (old.id IS DISTINCT FROM new.id)
EXECUTE FUNCTION platform.refuse_change('user_profiles', 'user_profiles_immutable_check', 'id');

-- After the insert, which an upsert of a profile that is there already, of whatever tier, never comes to.
CREATE TRIGGER user_profiles_tier_insert
AFTER INSERT ON user_profiles
FOR EACH ROW
WHEN (new.user_tier <> 'standard')
EXECUTE FUNCTION platform.refuse_change_by_user('user_profiles', 'user_profiles_user_tier_service_check', 'user_tier');

CREATE TRIGGER user_profiles_tier
BEFORE UPDATE ON user_profiles
FOR EACH ROW
WHEN (old.user_tier IS DISTINCT FROM new.user_tier)
EXECUTE FUNCTION platform.refuse_change_by_user('user_profiles', 'user_profiles_user_tier_service_check', 'user_tier');

CREATE TRIGGER user_profiles_maintain_insert
BEFORE INSERT ON user_profiles
FOR EACH ROW
WHEN (
    (new.total_focus_hours <> 0 OR new.average_daily_completion_rate <> 0 OR new.created_at IS DISTINCT FROM now())
    AND NOT platform.is_service()
)
EXECUTE FUNCTION platform.maintain_columns(
    '{"total_focus_hours": 0, "average_daily_completion_rate": 0}', '{"created_at": "now"}'
);

CREATE TRIGGER user_profiles_maintain_update
BEFORE UPDATE ON user_profiles
FOR EACH ROW
WHEN (
    (old.total_focus_hours, old.average_daily_completion_rate, old.created_at)
    IS DISTINCT FROM (new.total_focus_hours, new.average_daily_completion_rate, new.created_at)
)
EXECUTE FUNCTION platform.maintain_columns(
    '{"total_focus_hours": 0, "average_daily_completion_rate": 0}', '{"created_at": "now"}'
);

CREATE TRIGGER user_profiles_updated_at
BEFORE UPDATE ON user_profiles
FOR EACH ROW
EXECUTE FUNCTION platform.update_updated_at_column(
    'last_activity_at', 'total_focus_hours', 'average_daily_completion_rate'
);
