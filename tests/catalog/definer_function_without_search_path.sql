-- A definer function under the caller's search_path runs the caller's objects with the owner's rights. Functions in
-- PL/pgSQL look names up at run time, so they pin it too. pg_temp stands last.
SELECT p.oid::regprocedure AS offender, p.proconfig
FROM pg_proc AS p
INNER JOIN pg_language AS l ON p.prolang = l.oid
WHERE p.pronamespace IN (SELECT oid FROM instance)
    AND (p.prosecdef OR l.lanname = 'plpgsql' OR (l.lanname = 'sql' AND p.prosqlbody IS NULL))
    AND NOT coalesce(p.proconfig::text ~ 'search_path=.*, pg_temp"', FALSE)
