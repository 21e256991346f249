-- transactional: false
DROP INDEX CONCURRENTLY projects_area_id_key;
