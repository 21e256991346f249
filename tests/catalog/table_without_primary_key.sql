-- Every table has a primary key, history included: logical replication and Citus need it.
SELECT c.oid::regclass AS offender
FROM pg_class AS c
WHERE c.relnamespace IN (SELECT oid FROM instance)
    AND c.relkind IN ('r', 'p')
    AND NOT EXISTS (SELECT 1 FROM pg_constraint AS k WHERE k.conrelid = c.oid AND k.contype = 'p')
