REVOKE SELECT ON personality_schemas FROM authenticated;
REVOKE SELECT, INSERT, UPDATE, DELETE ON personality_schemas FROM service_role;
DROP POLICY personality_schemas_service_all ON personality_schemas;
DROP POLICY ps_read_active ON personality_schemas;
