-- transactional: false
DROP INDEX CONCURRENTLY user_profiles_timezone_idx;
