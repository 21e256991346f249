REVOKE SELECT, INSERT, UPDATE ON documents FROM authenticated;
REVOKE SELECT, INSERT, UPDATE, DELETE ON documents FROM service_role;
DROP POLICY documents_service_all ON documents;
DROP POLICY documents_user_access ON documents;
