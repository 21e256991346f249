-- depends: 0064_subscriptions
-- No API role reads the table, which holds hashes. The policy says so in the place where one looks for it.
CREATE POLICY api_keys_service_none ON api_keys
FOR ALL TO service_role
USING (FALSE);
GRANT SELECT ON api_keys_public TO authenticated, service_role;
