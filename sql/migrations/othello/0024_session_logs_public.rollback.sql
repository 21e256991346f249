DROP VIEW session_logs_public;
