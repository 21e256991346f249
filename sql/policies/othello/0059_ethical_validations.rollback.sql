REVOKE SELECT ON ethical_validations FROM authenticated;
REVOKE SELECT, INSERT ON ethical_validations FROM service_role;
DROP POLICY ethical_validations_service_all ON ethical_validations;
DROP POLICY ethical_validations_user_read ON ethical_validations;
