-- depends: 0060_hierarchy
-- From here on a move of an area is felt by its projects.
CREATE TRIGGER areas_place_insert
BEFORE INSERT ON areas
FOR EACH ROW
WHEN (new.pillar_id IS NOT NULL)
EXECUTE FUNCTION place_area();

CREATE TRIGGER areas_place
BEFORE UPDATE ON areas
FOR EACH ROW
WHEN (new.pillar_id IS NOT NULL AND new.pillar_id IS DISTINCT FROM old.pillar_id)
EXECUTE FUNCTION place_area();

CREATE TRIGGER areas_move
AFTER UPDATE ON areas
REFERENCING NEW TABLE AS new_rows
FOR EACH STATEMENT
EXECUTE FUNCTION move_projects();
