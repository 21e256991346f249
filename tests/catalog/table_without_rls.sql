-- Every table has row-level security, partitions and history included.
SELECT c.oid::regclass AS offender
FROM pg_class AS c
WHERE c.relnamespace IN (SELECT oid FROM instance) AND c.relkind IN ('r', 'p') AND NOT c.relrowsecurity
