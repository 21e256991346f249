-- depends: 0063_projects_hierarchy_backfill
-- Tasks know their place when they come.
CREATE TRIGGER tasks_place_insert
BEFORE INSERT ON tasks
FOR EACH ROW
WHEN (new.project_id IS NOT NULL)
EXECUTE FUNCTION place_task();

CREATE TRIGGER tasks_place
BEFORE UPDATE ON tasks
FOR EACH ROW
WHEN (
    new.project_id IS NOT NULL
    AND (new.project_id, new.area_id, new.pillar_id) IS DISTINCT FROM (old.project_id, old.area_id, old.pillar_id)
)
EXECUTE FUNCTION place_task();
