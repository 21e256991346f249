DROP TABLE agent_activities;
DROP TYPE agent_activity_status;
DROP TYPE agent_activity_type;
