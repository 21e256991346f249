-- A CHECK, default, generated column or policy runs with the caller's rights: whoever may write a table (or read it, for
-- a policy) must be able to execute the functions in it.
SELECT c.oid::regclass AS offender, f.oid::regprocedure, r.rolname
FROM pg_class AS c
INNER JOIN LATERAL (
    SELECT d.refobjid, FALSE AS in_policy
    FROM pg_constraint AS k
    INNER JOIN pg_depend AS d ON d.classid = 'pg_constraint'::regclass AND k.oid = d.objid
    WHERE k.conrelid = c.oid AND k.contype = 'c' AND d.refclassid = 'pg_proc'::regclass
    UNION ALL
    SELECT d.refobjid, FALSE
    FROM pg_attrdef AS a
    INNER JOIN pg_depend AS d ON d.classid = 'pg_attrdef'::regclass AND a.oid = d.objid
    WHERE a.adrelid = c.oid AND d.refclassid = 'pg_proc'::regclass
    UNION ALL
    SELECT d.refobjid, TRUE
    FROM pg_policy AS p
    INNER JOIN pg_depend AS d ON d.classid = 'pg_policy'::regclass AND p.oid = d.objid
    WHERE p.polrelid = c.oid AND d.refclassid = 'pg_proc'::regclass
) AS used ON TRUE
INNER JOIN pg_proc AS f ON used.refobjid = f.oid
CROSS JOIN pg_roles AS r
WHERE c.relnamespace IN (SELECT oid FROM instance)
    AND r.rolname IN ('anon', 'authenticated', 'service_role')
    AND (
        has_table_privilege(r.oid, c.oid, 'INSERT, UPDATE')
        OR (used.in_policy AND has_table_privilege(r.oid, c.oid, 'SELECT'))
    )
    AND NOT has_function_privilege(r.oid, f.oid, 'EXECUTE')
