-- depends: 0002_timezones
-- A lookup table instead of a CHECK: operators add areas of consent without a migration.
CREATE TABLE consent_scopes (
    scope varchar(100),
    description text NOT NULL,
    CONSTRAINT consent_scopes_pkey PRIMARY KEY (scope),
    CONSTRAINT consent_scopes_scope_check CHECK (platform.is_identifier(scope))
);
ALTER TABLE consent_scopes ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON consent_scopes FROM PUBLIC, anon, authenticated, service_role;

COMMENT ON TABLE consent_scopes IS 'Areas in which a user gives consent; a new user gets a passive tier in each.';
