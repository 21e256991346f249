DROP TRIGGER chat_sessions_updated_at ON chat_sessions;
DROP TRIGGER chat_sessions_times ON chat_sessions;
DROP TRIGGER chat_sessions_times_insert ON chat_sessions;
DROP TRIGGER chat_sessions_status_insert ON chat_sessions;
DROP TRIGGER chat_sessions_status ON chat_sessions;
DROP TRIGGER chat_sessions_maintain_update ON chat_sessions;
DROP TRIGGER chat_sessions_maintain_insert ON chat_sessions;
DROP TRIGGER chat_sessions_immutable ON chat_sessions;
DROP FUNCTION stamp_session();
