DROP TRIGGER agent_activities_insert_approval ON agent_activities;
DROP TRIGGER agent_activities_status_approval ON agent_activities;
DROP FUNCTION guard_approval();
