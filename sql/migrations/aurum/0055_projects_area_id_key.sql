-- depends: 0054_areas_pillar_id_key
-- transactional: false
-- As for areas.
CREATE UNIQUE INDEX CONCURRENTLY projects_area_id_key ON projects (area_id, pillar_id, id);
