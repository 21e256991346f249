SELECT i.indexrelid::regclass::text AS offender
FROM pg_index AS i
INNER JOIN pg_class AS c ON i.indrelid = c.oid
WHERE c.relnamespace IN (SELECT oid FROM instance) AND NOT i.indisvalid
UNION ALL
SELECT k.conname
FROM pg_constraint AS k
WHERE k.connamespace IN (SELECT oid FROM instance) AND NOT k.convalidated
