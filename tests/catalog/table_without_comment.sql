-- COMMENT ON is the documentation. What a column's name does not say is in its comment; tables and functions always have one.
SELECT c.oid::regclass AS offender
FROM pg_class AS c
WHERE c.relnamespace IN (SELECT oid FROM instance)
    AND c.relkind IN ('r', 'p', 'v', 'm')
    AND NOT c.relispartition
    AND c.relname NOT LIKE '\_yoyo%'
    AND obj_description(c.oid, 'pg_class') IS NULL
