DROP FUNCTION merge_traits(jsonb);
