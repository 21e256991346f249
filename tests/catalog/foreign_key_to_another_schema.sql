-- Nothing refers to another instance; only the users of auth are shared.
SELECT k.conrelid::regclass AS offender, k.conname
FROM pg_constraint AS k
INNER JOIN pg_class AS parent ON k.confrelid = parent.oid
WHERE k.contype = 'f'
    AND k.connamespace IN (SELECT oid FROM instance)
    AND parent.relnamespace NOT IN (k.connamespace, to_regnamespace('auth'))
