-- transactional: false
DROP INDEX CONCURRENTLY idx_user_profiles_activity;
