-- transactional: false
DROP INDEX CONCURRENTLY a_id_idx;
