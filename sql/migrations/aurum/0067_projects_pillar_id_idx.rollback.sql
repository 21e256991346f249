-- transactional: false
DROP INDEX CONCURRENTLY projects_pillar_id_idx;
