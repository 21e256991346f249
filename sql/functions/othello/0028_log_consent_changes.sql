-- depends: 0027_consent_tiers_triggers
-- Every change of consent is written down, however it is made. Ending a tier writes a row without a new value at once;
-- where the same transaction then begins another tier in that scope, the row is completed before anybody else can see
-- it, so that there is one row for one change.
CREATE FUNCTION log_consent_change()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
DECLARE
    v_row consent_tiers;
    v_before consent_tiers;
    v_after consent_tiers;
    v_ended consent_logs;
    v_previous_tier text;
    v_previous_settings jsonb;
BEGIN
    IF tg_op <> 'INSERT' THEN
        v_row := old;
        IF old.is_active THEN
            v_before := old;
        END IF;
    END IF;
    IF tg_op <> 'DELETE' THEN
        v_row := new;
        IF new.is_active THEN
            v_after := new;
        END IF;
    END IF;
    -- This makes "the tier at that moment" exact for an activity that is just being executed: it waits here, and one
    -- with an older snapshot (REPEATABLE READ) fails, which a mere lock would not make it do. No such user: it is the
    -- user who is being deleted, and the log goes too.
    UPDATE users AS u SET updated_at = now() WHERE u.id = v_row.user_id;
    IF NOT found THEN
        RETURN NULL;
    END IF;

    IF v_after.id IS NULL THEN
        INSERT INTO consent_logs (user_id, consent_tier_id, action, scope, previous_value, metadata)
        VALUES (
            v_row.user_id, CASE WHEN tg_op = 'UPDATE' THEN v_row.id END, 'tier_changed', v_row.scope,
            v_before.tier_level,
            CASE
                WHEN v_before.settings_data IS NOT NULL
                    THEN jsonb_build_object('previous_settings', v_before.settings_data)
            END
        );
        RETURN NULL;
    END IF;

    IF v_before.id IS NULL THEN
        SELECT l.* INTO v_ended
        FROM consent_logs AS l
        WHERE
            l.user_id = v_row.user_id
            AND l.created_at = now()
            AND l.scope = v_row.scope
            AND l.action = 'tier_changed'
            AND l.new_value IS NULL
        ORDER BY l.id DESC
        LIMIT 1;
        v_previous_tier := v_ended.previous_value;
        v_previous_settings := v_ended.metadata -> 'previous_settings';
    ELSE
        v_previous_tier := v_before.tier_level::text;
        v_previous_settings := v_before.settings_data;
    END IF;

    IF v_previous_tier IS DISTINCT FROM v_after.tier_level::text THEN
        IF v_ended.id IS NOT NULL THEN
            UPDATE consent_logs AS l
            SET consent_tier_id = v_after.id, new_value = v_after.tier_level, metadata = NULL
            WHERE l.id = v_ended.id;
        ELSE
            INSERT INTO consent_logs (user_id, consent_tier_id, action, scope, previous_value, new_value)
            VALUES (v_after.user_id, v_after.id, 'tier_changed', v_after.scope, v_previous_tier, v_after.tier_level);
        END IF;
    ELSIF v_ended.id IS NOT NULL THEN
        DELETE FROM consent_logs AS l WHERE l.id = v_ended.id;
    END IF;

    IF v_previous_tier IS NOT NULL AND v_previous_settings IS DISTINCT FROM v_after.settings_data THEN
        INSERT INTO consent_logs (user_id, consent_tier_id, action, scope, metadata)
        VALUES (
            v_after.user_id, v_after.id, 'settings_updated', v_after.scope,
            jsonb_build_object('previous_settings', v_previous_settings, 'new_settings', v_after.settings_data)
        );
    END IF;
    RETURN NULL;
END;
$$;
REVOKE ALL ON FUNCTION log_consent_change() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION log_consent_change() IS
'Trigger: writes tier_changed and settings_updated to consent_logs, one row for each change in a transaction.';

-- Two sessions of one user that change several tiers would else wait for each other in a circle.
CREATE FUNCTION lock_own_consent()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
BEGIN
    PERFORM FROM users AS u WHERE u.id = current_user_id() FOR NO KEY UPDATE;
    RETURN NULL;
END;
$$;
REVOKE ALL ON FUNCTION lock_own_consent() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION lock_own_consent() IS 'Trigger: lets one session at a time change a user''s own consent.';

CREATE TRIGGER consent_tiers_lock
BEFORE INSERT OR UPDATE OR DELETE ON consent_tiers
FOR EACH STATEMENT
EXECUTE FUNCTION lock_own_consent();

-- The passive tiers of a new user come from a trigger and are no change.
CREATE TRIGGER consent_tiers_log_insert
AFTER INSERT ON consent_tiers
FOR EACH ROW
WHEN (new.is_active AND (pg_trigger_depth() = 0 OR new.tier_level <> 'passive'))
EXECUTE FUNCTION log_consent_change();

CREATE TRIGGER consent_tiers_log_update
AFTER UPDATE ON consent_tiers
FOR EACH ROW
WHEN (
    (old.is_active OR new.is_active)
    AND (old.is_active, old.tier_level, old.settings_data)
    IS DISTINCT FROM (new.is_active, new.tier_level, new.settings_data)
)
EXECUTE FUNCTION log_consent_change();

CREATE TRIGGER consent_tiers_log_delete
AFTER DELETE ON consent_tiers
FOR EACH ROW
WHEN (old.is_active)
EXECUTE FUNCTION log_consent_change();
