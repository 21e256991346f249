-- depends: 0066_tasks_hierarchy_backfill
-- transactional: false
-- For the foreign key.
CREATE INDEX CONCURRENTLY projects_pillar_id_idx ON projects (pillar_id);
