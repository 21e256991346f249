-- depends: 0056_scheduled_messages
-- The owner reads; services write.
CREATE POLICY email_delivery_log_user_read ON email_delivery_log
FOR SELECT TO authenticated
USING (owner_id = (SELECT current_user_id()));

CREATE POLICY email_delivery_log_service_all ON email_delivery_log
FOR ALL TO service_role
USING (TRUE)
WITH CHECK (TRUE);
GRANT SELECT, INSERT, UPDATE, DELETE ON email_delivery_log TO service_role;
GRANT SELECT ON email_delivery_log TO authenticated;
