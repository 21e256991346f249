-- depends: 0052_projects_hierarchy_columns
-- As for projects.
ALTER TABLE tasks
ADD COLUMN area_id uuid,
ADD COLUMN pillar_id uuid;

COMMENT ON COLUMN tasks.area_id IS 'Maintained by the database: the area of the project.';
COMMENT ON COLUMN tasks.pillar_id IS 'Maintained by the database: the pillar of the area.';
