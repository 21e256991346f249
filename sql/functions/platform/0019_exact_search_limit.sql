-- depends: 0018_schedule_job
-- For searches by meaning. Exact search reads every row of a user, 12 µs each. Following the index costs 25 µs for each
-- row of anybody that is passed on the way to some 400 of the user's own: cheaper only above 29 · √(all rows),
-- measured, and never below some thousands.
CREATE FUNCTION exact_search_limit(p_table regclass)
RETURNS bigint
LANGUAGE sql
STABLE
BEGIN ATOMIC
    SELECT greatest(4000, 29 * sqrt(greatest(c.reltuples, 0)))::bigint
    FROM pg_catalog.pg_class AS c
    WHERE c.oid = p_table; -- noqa: RF03
END;
REVOKE ALL ON FUNCTION exact_search_limit(regclass) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION exact_search_limit(regclass) IS
'Up to how many rows of one user a search compares all of them instead of following the vector index.';
