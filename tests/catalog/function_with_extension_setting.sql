-- Only a session that has loaded the extension's library may create such a function: a restored dump would lack it.
SELECT p.oid::regprocedure AS offender, s.setting
FROM pg_proc AS p
CROSS JOIN LATERAL unnest(p.proconfig) AS s (setting)
WHERE p.pronamespace IN (SELECT oid FROM instance)
    AND split_part(s.setting, '=', 1) LIKE '%.%'
