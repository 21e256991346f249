REVOKE SELECT ON consent_scopes FROM authenticated;
REVOKE SELECT, INSERT, UPDATE, DELETE ON consent_scopes FROM service_role;
DROP POLICY consent_scopes_service_all ON consent_scopes;
DROP POLICY consent_scopes_read ON consent_scopes;
