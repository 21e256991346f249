-- depends: 0063_voice_configs
-- One's own, to read: services write what Stripe says.
CREATE POLICY subscriptions_user_read ON subscriptions
FOR SELECT TO authenticated
USING (user_id = (SELECT current_user_id()));

CREATE POLICY subscriptions_service_all ON subscriptions
FOR ALL TO service_role
USING (TRUE)
WITH CHECK (TRUE);
GRANT SELECT, INSERT, UPDATE, DELETE ON subscriptions TO service_role;
GRANT SELECT ON subscriptions TO authenticated;
