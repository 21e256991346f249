-- Two indexes over the same columns cost every write twice and help no reader.
SELECT a.indexrelid::regclass AS offender, b.indexrelid::regclass AS repeats
FROM pg_index AS a
INNER JOIN pg_index AS b
    ON a.indrelid = b.indrelid
    AND a.indexrelid > b.indexrelid
    AND a.indkey::text = b.indkey::text
    AND a.indclass = b.indclass
    AND a.indoption = b.indoption
    AND pg_get_expr(a.indpred, a.indrelid) IS NOT DISTINCT FROM pg_get_expr(b.indpred, b.indrelid)
    AND pg_get_expr(a.indexprs, a.indrelid) IS NOT DISTINCT FROM pg_get_expr(b.indexprs, b.indrelid)
INNER JOIN pg_class AS c ON a.indrelid = c.oid
WHERE c.relnamespace IN (SELECT oid FROM instance)
