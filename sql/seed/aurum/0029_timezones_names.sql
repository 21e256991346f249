-- depends: 0028_timezones
-- As the server has them, so that AT TIME ZONE works with each. Left out are names that mean nothing to other machines.
INSERT INTO timezones (name)
SELECT z.name
FROM pg_catalog.pg_timezone_names AS z
WHERE z.name !~ '^(posix|right)/' AND z.name NOT IN ('Factory', 'localtime', 'posixrules');
