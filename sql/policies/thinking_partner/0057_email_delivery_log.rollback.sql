REVOKE SELECT ON email_delivery_log FROM authenticated;
REVOKE SELECT, INSERT, UPDATE, DELETE ON email_delivery_log FROM service_role;
DROP POLICY email_delivery_log_service_all ON email_delivery_log;
DROP POLICY email_delivery_log_user_read ON email_delivery_log;
