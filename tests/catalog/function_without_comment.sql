SELECT p.oid::regprocedure AS offender
FROM pg_proc AS p
WHERE p.pronamespace IN (SELECT oid FROM instance) AND obj_description(p.oid, 'pg_proc') IS NULL
