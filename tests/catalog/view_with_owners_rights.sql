-- Views run with the caller's rights, or else are security barriers that filter by the caller themselves.
SELECT c.oid::regclass AS offender
FROM pg_class AS c
WHERE c.relnamespace IN (SELECT oid FROM instance)
    AND c.relkind = 'v'
    AND NOT coalesce(c.reloptions::text ~ 'security_invoker=true', FALSE)
    AND NOT (
        coalesce(c.reloptions::text ~ 'security_barrier=true', FALSE)
        AND (
            pg_get_viewdef(c.oid) ~ 'SELECT ([a-z_]+\.)?current_user_id'
            -- What everybody may see of tables that row-level security shows to owners only.
            OR c.relname IN ('published_characters', 'published_models', 'published_voices')
        )
    )
