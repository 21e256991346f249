-- transactional: false
DROP INDEX CONCURRENTLY tasks_pillar_id_idx;
