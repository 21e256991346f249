-- depends: 0048_users
-- The registry is public.
CREATE POLICY apps_public_read ON apps
FOR SELECT TO anon, authenticated
USING (TRUE);

CREATE POLICY apps_service_all ON apps
FOR ALL TO service_role
USING (TRUE)
WITH CHECK (TRUE);
GRANT SELECT, INSERT, UPDATE, DELETE ON apps TO service_role;
GRANT SELECT ON apps TO anon, authenticated;
