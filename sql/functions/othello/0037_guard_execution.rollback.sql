DROP TRIGGER agent_activities_status_execution ON agent_activities;
DROP FUNCTION guard_execution();
