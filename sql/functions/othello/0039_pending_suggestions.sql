-- depends: 0038_respond_to_activity
-- Runs with the caller's rights; reads agent_activities_pending_idx from the newest on until p_limit are found. The
-- tier is written out as in effective_tier(), which cannot be inlined: a call for each row takes ten times as long, and
-- of somebody passive who gets many suggestions every row is looked at.
CREATE FUNCTION pending_suggestions(p_limit integer DEFAULT 20)
RETURNS SETOF agent_activities
LANGUAGE sql
STABLE
BEGIN ATOMIC
    -- The row type is the result.
    SELECT a.* -- noqa: AM04
    FROM agent_activities AS a
    WHERE
        a.user_id = (SELECT current_user_id())
        AND a.activity_type = 'suggestion'
        AND a.status IN ('proposed', 'pending_consent')
        AND (
            coalesce(a.consent_tier_required, 'passive') = 'passive'
            OR a.consent_tier_required <= coalesce(
                (
                    SELECT ct.tier_level
                    FROM consent_tiers AS ct
                    WHERE ct.user_id = a.user_id AND ct.scope = a.scope AND ct.is_active = TRUE
                ),
                (
                    SELECT ct.tier_level
                    FROM consent_tiers AS ct
                    WHERE ct.user_id = a.user_id AND ct.scope = 'global' AND ct.is_active = TRUE
                ),
                'passive'
            )
        )
    ORDER BY a.created_at DESC, a.id DESC
    LIMIT greatest(coalesce(p_limit, 20), 0);
END;
REVOKE ALL ON FUNCTION pending_suggestions(integer) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION pending_suggestions(integer) IS
'The caller''s suggestions that wait for an answer and that their present tier in the scope allows them to see, '
'newest first.';
