-- Who may create in a schema of the search path can put objects in front of ours.
SELECT i.name AS offender, r.rolname
FROM instance AS i
CROSS JOIN pg_roles AS r
WHERE r.rolname IN ('anon', 'authenticated', 'service_role') AND has_schema_privilege(r.oid, i.oid, 'CREATE')
