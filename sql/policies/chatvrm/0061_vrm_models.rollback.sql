REVOKE SELECT ON vrm_models FROM anon, authenticated;
REVOKE SELECT, INSERT, UPDATE, DELETE ON vrm_models FROM service_role;
DROP POLICY vrm_models_service_all ON vrm_models;
DROP POLICY vrm_models_public_read ON vrm_models;
