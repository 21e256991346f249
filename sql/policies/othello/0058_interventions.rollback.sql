REVOKE SELECT, UPDATE ON interventions FROM authenticated;
REVOKE SELECT, INSERT, UPDATE, DELETE ON interventions FROM service_role;
DROP POLICY interventions_service_all ON interventions;
DROP POLICY interventions_user_access ON interventions;
