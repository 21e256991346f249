DROP FUNCTION record_insight_feedback(uuid, text, jsonb);
