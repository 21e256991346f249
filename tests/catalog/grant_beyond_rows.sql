-- API roles read and write rows; TRUNCATE, REFERENCES, TRIGGER and MAINTAIN act on tables, and row-level security does
-- not apply to them. Nor may they pass a privilege on.
SELECT c.oid::regclass AS offender, a.grantee::regrole, a.privilege_type
FROM pg_class AS c
CROSS JOIN LATERAL aclexplode(c.relacl) AS a
WHERE c.relnamespace IN (SELECT oid FROM instance)
    AND a.grantee IN ('anon'::regrole, 'authenticated'::regrole, 'service_role'::regrole)
    AND (a.privilege_type NOT IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE') OR a.is_grantable)
