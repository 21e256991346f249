DROP TRIGGER subscription_events_payload ON subscription_events;
DROP TRIGGER subscription_events_owner ON subscription_events;
DROP FUNCTION hash_payload();
