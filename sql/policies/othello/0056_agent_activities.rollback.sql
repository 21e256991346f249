REVOKE SELECT ON agent_activities FROM authenticated;
REVOKE SELECT, INSERT, UPDATE ON agent_activities FROM service_role;
DROP POLICY agent_activities_service_all ON agent_activities;
DROP POLICY agent_activities_user_read ON agent_activities;
