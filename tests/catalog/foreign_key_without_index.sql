-- An index of the referring table begins with the columns of the key, in any order: deleting a parent reads it.
SELECT k.conrelid::regclass AS offender, k.conname
FROM pg_constraint AS k
WHERE k.contype = 'f'
    AND k.connamespace IN (SELECT oid FROM instance)
    AND NOT EXISTS (
        SELECT 1
        FROM pg_index AS i
        WHERE i.indrelid = k.conrelid
            AND i.indisvalid
            AND i.indpred IS NULL
            AND (i.indkey::smallint[])[0:0] <@ k.conkey
    )
