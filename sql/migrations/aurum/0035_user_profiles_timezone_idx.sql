-- depends: 0034_idx_user_profiles_activity
-- transactional: false
-- For the foreign key, when a zone is to be deleted.
CREATE INDEX CONCURRENTLY user_profiles_timezone_idx ON user_profiles (timezone);
