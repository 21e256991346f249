DROP TRIGGER user_profiles_updated_at ON user_profiles;
DROP TRIGGER user_profiles_maintain_update ON user_profiles;
DROP TRIGGER user_profiles_maintain_insert ON user_profiles;
DROP TRIGGER user_profiles_tier ON user_profiles;
DROP TRIGGER user_profiles_tier_insert ON user_profiles;
DROP TRIGGER user_profiles_immutable ON user_profiles;
