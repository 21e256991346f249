DROP TRIGGER areas_move ON areas;
DROP TRIGGER areas_place ON areas;
DROP TRIGGER areas_place_insert ON areas;
