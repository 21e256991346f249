SELECT c.oid::regclass AS offender, a.attname
FROM pg_attribute AS a
INNER JOIN pg_class AS c ON a.attrelid = c.oid
WHERE c.relnamespace IN (SELECT oid FROM instance) AND a.attidentity <> '' AND a.atttypid <> 'bigint'::regtype
