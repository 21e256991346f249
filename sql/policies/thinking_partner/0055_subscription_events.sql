-- depends: 0054_work_outputs
-- Append-only, for service_role too; the owner reads.
CREATE POLICY subscription_events_user_read ON subscription_events
FOR SELECT TO authenticated
USING (owner_id = (SELECT current_user_id()));

CREATE POLICY subscription_events_service_all ON subscription_events
FOR ALL TO service_role
USING (TRUE)
WITH CHECK (TRUE);
GRANT SELECT, INSERT ON subscription_events TO service_role;
GRANT SELECT ON subscription_events TO authenticated;
