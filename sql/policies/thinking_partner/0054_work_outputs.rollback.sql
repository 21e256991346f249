REVOKE SELECT, INSERT ON work_outputs FROM authenticated;
REVOKE SELECT, INSERT, UPDATE, DELETE ON work_outputs FROM service_role;
DROP POLICY work_outputs_service_all ON work_outputs;
DROP POLICY work_outputs_user_access ON work_outputs;
