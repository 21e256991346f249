-- depends: 0061_areas_hierarchy
-- And projects know their pillar when they come.
CREATE TRIGGER projects_place_insert
BEFORE INSERT ON projects
FOR EACH ROW
WHEN (new.area_id IS NOT NULL)
EXECUTE FUNCTION place_project();

CREATE TRIGGER projects_place
BEFORE UPDATE ON projects
FOR EACH ROW
WHEN (new.area_id IS NOT NULL AND (new.area_id, new.pillar_id) IS DISTINCT FROM (old.area_id, old.pillar_id))
EXECUTE FUNCTION place_project();
