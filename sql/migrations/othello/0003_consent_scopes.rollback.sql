DROP TABLE consent_scopes;
