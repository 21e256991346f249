-- transactional: false
DROP INDEX CONCURRENTLY areas_user_id_idx;
