DROP FUNCTION respond_to_activity(bigint, consent_action, text);
