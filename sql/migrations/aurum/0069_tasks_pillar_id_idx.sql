-- depends: 0068_tasks_area_id_idx
-- transactional: false
-- For the foreign key.
CREATE INDEX CONCURRENTLY tasks_pillar_id_idx ON tasks (pillar_id);
