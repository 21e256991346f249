-- transactional: false
DROP INDEX CONCURRENTLY pillars_user_id_idx;
