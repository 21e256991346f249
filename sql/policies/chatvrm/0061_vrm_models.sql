-- depends: 0060_users
-- Anyone sees what is public and approved; services keep them.
CREATE POLICY vrm_models_public_read ON vrm_models
FOR SELECT TO anon, authenticated
USING (is_public AND is_approved);

CREATE POLICY vrm_models_service_all ON vrm_models
FOR ALL TO service_role
USING (TRUE)
WITH CHECK (TRUE);
GRANT SELECT, INSERT, UPDATE, DELETE ON vrm_models TO service_role;
GRANT SELECT ON vrm_models TO anon, authenticated;
