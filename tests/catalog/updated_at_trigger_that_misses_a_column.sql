-- A trigger that moves updated_at and names its columns names all that count: new columns are easily forgotten.
SELECT t.tgrelid::regclass AS offender, t.tgname, a.attname
FROM pg_trigger AS t
INNER JOIN pg_class AS c ON t.tgrelid = c.oid
INNER JOIN pg_attribute AS a ON c.oid = a.attrelid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
WHERE c.relnamespace IN (SELECT oid FROM instance)
    AND t.tgfoid = 'platform.update_updated_at_column()'::regprocedure
    AND cardinality(t.tgattr::smallint[]) > 0
    AND a.attnum <> ALL (t.tgattr::smallint[])
    AND a.attname <> ALL (string_to_array(encode(t.tgargs, 'escape'), '\000'))
