-- The only subqueries of a policy are the two that ask for the user, once for a statement; a bare call would be made for
-- each row. Citus forbids others, and they are slow.
SELECT p.polrelid::regclass AS offender, p.polname, e.expression
FROM pg_policy AS p
INNER JOIN pg_class AS c ON p.polrelid = c.oid
CROSS JOIN LATERAL (
    VALUES (pg_get_expr(p.polqual, p.polrelid)), (pg_get_expr(p.polwithcheck, p.polrelid))
) AS e (expression)
CROSS JOIN LATERAL (
    SELECT regexp_replace(
        e.expression, '\( SELECT (?:[a-z_]+\.)?(?:current_user_id|uid)\(\) AS (?:current_user_id|uid)\)', '', 'g'
    )
) AS rest (expression)
WHERE c.relnamespace IN (SELECT oid FROM instance) AND rest.expression ~ 'SELECT|current_user_id|uid\(\)'
