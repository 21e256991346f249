-- depends: 0055_subscription_events
-- The owner reads; services schedule and send.
CREATE POLICY scheduled_messages_user_read ON scheduled_messages
FOR SELECT TO authenticated
USING (owner_id = (SELECT current_user_id()));

CREATE POLICY scheduled_messages_service_all ON scheduled_messages
FOR ALL TO service_role
USING (TRUE)
WITH CHECK (TRUE);
GRANT SELECT, INSERT, UPDATE, DELETE ON scheduled_messages TO service_role;
GRANT SELECT ON scheduled_messages TO authenticated;
