DROP TABLE consent_logs;
DROP TYPE consent_action;
