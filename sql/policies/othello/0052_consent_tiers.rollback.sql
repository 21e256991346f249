REVOKE SELECT, INSERT, UPDATE, DELETE ON consent_tiers FROM authenticated;
REVOKE SELECT, INSERT, UPDATE, DELETE ON consent_tiers FROM service_role;
DROP POLICY consent_tiers_service_all ON consent_tiers;
DROP POLICY consent_tiers_user_access ON consent_tiers;
