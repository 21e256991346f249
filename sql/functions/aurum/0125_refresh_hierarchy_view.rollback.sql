DROP FUNCTION refresh_hierarchy_view();
