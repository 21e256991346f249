REVOKE SELECT ON subscription_events FROM authenticated;
REVOKE SELECT, INSERT ON subscription_events FROM service_role;
DROP POLICY subscription_events_service_all ON subscription_events;
DROP POLICY subscription_events_user_read ON subscription_events;
