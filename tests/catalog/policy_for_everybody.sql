-- A policy names its role, so that a role added later starts with nothing.
SELECT p.polrelid::regclass AS offender, p.polname
FROM pg_policy AS p
INNER JOIN pg_class AS c ON p.polrelid = c.oid
WHERE c.relnamespace IN (SELECT oid FROM instance) AND 0 = ANY (p.polroles)
