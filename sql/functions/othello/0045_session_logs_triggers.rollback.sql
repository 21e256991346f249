DROP TRIGGER session_logs_immutable ON session_logs;
