-- The IANA names this server knows. A table, because looking in pg_timezone_names reads hundreds of files, 16 to 36 ms
-- for each user.
CREATE TABLE timezones (
    name varchar(50),
    CONSTRAINT timezones_pkey PRIMARY KEY (name)
);
ALTER TABLE timezones ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON timezones FROM PUBLIC, anon, authenticated, service_role;

COMMENT ON TABLE timezones IS 'Names of time zones (IANA), for users.timezone.';
