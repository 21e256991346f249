DROP TRIGGER update_agent_activities_updated_at ON agent_activities;
DROP TRIGGER agent_activities_write_outcome ON agent_activities;
DROP TRIGGER agent_activities_status ON agent_activities;
DROP TRIGGER agent_activities_maintain ON agent_activities;
DROP TRIGGER agent_activities_immutable ON agent_activities;
DROP FUNCTION write_outcome();
