DROP FUNCTION inherit_owner();
