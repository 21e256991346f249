DROP FUNCTION merge_json(jsonb, jsonb);
