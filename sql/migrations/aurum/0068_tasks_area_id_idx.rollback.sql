-- transactional: false
DROP INDEX CONCURRENTLY tasks_area_id_idx;
