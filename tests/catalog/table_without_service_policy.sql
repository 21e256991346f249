-- Nothing relies on BYPASSRLS: service_role needs a policy to see anything. History is nobody's.
SELECT c.oid::regclass AS offender
FROM pg_class AS c
WHERE c.relnamespace IN (SELECT oid FROM instance)
    AND c.relkind IN ('r', 'p')
    AND NOT c.relispartition
    AND c.relname NOT LIKE '\_%'
    AND NOT EXISTS (
        SELECT 1 FROM pg_policy AS p WHERE p.polrelid = c.oid AND 'service_role'::regrole = ANY (p.polroles)
    )
