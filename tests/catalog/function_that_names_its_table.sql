-- A distributed table has other names on its nodes: errors and stored data name tables literally.
SELECT p.oid::regprocedure AS offender
FROM pg_proc AS p
WHERE p.pronamespace IN (SELECT oid FROM instance) AND p.prosrc ~* 'tg_table_name|tg_relname'
