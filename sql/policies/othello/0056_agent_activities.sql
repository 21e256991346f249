-- depends: 0055_psychological_profiles
-- Users read; they answer with respond_to_activity(). Nobody deletes one, its validations would go along.
CREATE POLICY agent_activities_user_read ON agent_activities
FOR SELECT TO authenticated
USING (user_id = (SELECT current_user_id()));

CREATE POLICY agent_activities_service_all ON agent_activities
FOR ALL TO service_role
USING (TRUE)
WITH CHECK (TRUE);
GRANT SELECT, INSERT, UPDATE ON agent_activities TO service_role;
GRANT SELECT ON agent_activities TO authenticated;
