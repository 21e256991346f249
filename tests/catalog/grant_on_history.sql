-- Recorded text runs as the DBA: nobody but the owner reads or writes it.
SELECT c.oid::regclass AS offender, a.grantee::regrole, a.privilege_type
FROM pg_class AS c
CROSS JOIN LATERAL aclexplode(c.relacl) AS a
WHERE c.relnamespace IN (SELECT oid FROM instance) AND c.relname LIKE '\_%' AND a.grantee <> c.relowner
