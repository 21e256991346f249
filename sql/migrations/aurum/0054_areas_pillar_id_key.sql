-- depends: 0053_tasks_hierarchy_columns
-- transactional: false
-- Besides the foreign key it serves the hierarchy: a move is a change of the key, which waits for those who add a row
-- below and have the key locked; any other change of the row does not.
CREATE UNIQUE INDEX CONCURRENTLY areas_pillar_id_key ON areas (pillar_id, id);
