DROP FUNCTION is_maintainer(oid);
