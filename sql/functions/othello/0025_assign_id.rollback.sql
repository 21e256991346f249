DROP FUNCTION assign_id();
