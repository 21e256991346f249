-- transactional: false
DROP INDEX CONCURRENTLY areas_pillar_id_key;
