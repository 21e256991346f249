DROP FUNCTION is_jsonb_unit_object(jsonb);
