-- Nothing is open to everybody, whatever default privileges the database has.
SELECT o.name AS offender, a.privilege_type
FROM (
    SELECT c.oid::regclass::text, coalesce(c.relacl, acldefault('r', c.relowner)), c.relnamespace FROM pg_class AS c
    UNION ALL
    SELECT p.oid::regprocedure::text, coalesce(p.proacl, acldefault('f', p.proowner)), p.pronamespace FROM pg_proc AS p
) AS o (name, acl, namespace)
CROSS JOIN LATERAL aclexplode(o.acl) AS a
WHERE o.namespace IN (SELECT oid FROM instance) AND a.grantee = 0
