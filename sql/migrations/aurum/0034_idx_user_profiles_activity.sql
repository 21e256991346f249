-- depends: 0033_user_profiles_ai_validate
-- transactional: false
-- Who was active lately.
CREATE INDEX CONCURRENTLY idx_user_profiles_activity ON user_profiles (last_activity_at DESC);
