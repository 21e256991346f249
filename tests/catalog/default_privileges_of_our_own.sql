-- ALTER DEFAULT PRIVILEGES does not take away PUBLIC's EXECUTE, and changes what others create.
SELECT d.oid AS offender, d.defaclacl
FROM pg_default_acl AS d
WHERE d.defaclnamespace IN (SELECT oid FROM instance)
