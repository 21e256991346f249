-- depends: 0067_projects_pillar_id_idx
-- transactional: false
-- For the foreign key.
CREATE INDEX CONCURRENTLY tasks_area_id_idx ON tasks (area_id);
