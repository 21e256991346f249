REVOKE SELECT ON subscriptions FROM authenticated;
REVOKE SELECT, INSERT, UPDATE, DELETE ON subscriptions FROM service_role;
DROP POLICY subscriptions_service_all ON subscriptions;
DROP POLICY subscriptions_user_read ON subscriptions;
