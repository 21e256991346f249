-- The column by which a policy tells one's own rows leads an index.
SELECT p.polrelid::regclass AS offender, p.polname, a.attname
FROM pg_policy AS p
INNER JOIN pg_class AS c ON p.polrelid = c.oid
CROSS JOIN LATERAL regexp_matches(pg_get_expr(p.polqual, p.polrelid), '(\w+) = \( SELECT') AS m (found)
INNER JOIN pg_attribute AS a ON c.oid = a.attrelid AND a.attname = m.found[1]
WHERE c.relnamespace IN (SELECT oid FROM instance)
    AND NOT EXISTS (
        SELECT 1 FROM pg_index AS i WHERE i.indrelid = c.oid AND i.indisvalid AND i.indpred IS NULL AND i.indkey[0] = a.attnum
    )
