DROP FUNCTION is_jsonb_text_array(jsonb);
