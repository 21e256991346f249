-- Names of one pattern, so that an error message reads like a sentence: table_subject_check, _fkey, _key, _idx, _pkey;
-- what a document names itself, a constraint or a uniqueness stated as an index, bears that name.
SELECT k.conrelid::regclass AS offender, k.conname
FROM pg_constraint AS k
INNER JOIN pg_class AS c ON k.conrelid = c.oid
WHERE k.connamespace IN (SELECT oid FROM instance)
    AND c.relname NOT LIKE '\_%'
    AND k.contype <> 'n'
    AND k.conname !~ CASE k.contype
        WHEN 'p' THEN '_pkey$'
        WHEN 'f' THEN '_fkey$'
        WHEN 'u' THEN '_(key|idx)$|^(idx|unique)_'
        ELSE '_(check|fkey)$|^(check|chk)_'
    END
