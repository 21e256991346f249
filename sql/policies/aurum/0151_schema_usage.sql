-- depends: 0150_jobs
-- Seeing the names in the schema; what may be done with them is granted table by table.
DO $$
BEGIN
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO anon, authenticated, service_role', current_schema());
END;
$$;
