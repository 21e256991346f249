-- depends: 0028_log_consent_changes
-- Runs with the caller's rights: of another user it says what it says of none.
-- Its parameters have no table to be qualified with.
CREATE FUNCTION effective_tier(p_user_id bigint, p_scope text)
RETURNS consent_tier_level
LANGUAGE sql
STABLE
RETURN coalesce(
    (
        SELECT ct.tier_level
        FROM consent_tiers AS ct
        WHERE ct.user_id = p_user_id AND ct.scope = p_scope AND ct.is_active = TRUE -- noqa: RF03
    ),
    (
        SELECT ct.tier_level
        FROM consent_tiers AS ct
        WHERE ct.user_id = p_user_id AND ct.scope = 'global' AND ct.is_active = TRUE -- noqa: RF03
    ),
    'passive'::consent_tier_level
);
REVOKE ALL ON FUNCTION effective_tier(bigint, text) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION effective_tier(bigint, text) IS
'The active tier of a user in a scope; where there is none that of scope global; else passive.';
