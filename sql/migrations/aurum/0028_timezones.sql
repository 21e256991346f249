-- depends: 0027_is_working_hours
-- What a server calls a known time zone changes with its updates, so that no immutable CHECK can ask it.
CREATE TABLE timezones (
    name text,
    CONSTRAINT timezones_pkey PRIMARY KEY (name)
);
ALTER TABLE timezones ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON timezones FROM PUBLIC, anon, authenticated, service_role;

COMMENT ON TABLE timezones IS 'IANA names of time zones that this server knew when it was filled.';
