DROP FUNCTION record_subscription_event(uuid, text, text, text, timestamptz, jsonb);
