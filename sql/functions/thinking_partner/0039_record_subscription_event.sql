-- depends: 0038_subscription_events_triggers
-- Webhooks come twice, and at the same time: the workspace is locked first, and an event that is there already changes
-- nothing.
CREATE FUNCTION record_subscription_event(
    p_workspace_id uuid,
    p_event_type text,
    p_ls_subscription_id text,
    p_ls_customer_id text,
    p_expires_at timestamptz,
    p_payload jsonb
)
RETURNS workspaces
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
DECLARE
    v_workspace workspaces;
    v_effect text;
BEGIN
    SELECT w.* INTO v_workspace FROM workspaces AS w WHERE w.id = p_workspace_id FOR NO KEY UPDATE;
    IF NOT found THEN
        RAISE EXCEPTION USING
            ERRCODE = 'no_data_found',
            MESSAGE = format('there is no workspace %s', p_workspace_id),
            HINT = 'The event is not recorded; look up the workspace by its Lemon Squeezy ids.',
            CONSTRAINT = 'subscription_events_workspace_id_fkey',
            TABLE = 'subscription_events',
            SCHEMA = current_schema();
    END IF;

    INSERT INTO subscription_events (
        workspace_id, owner_id, event_type, ls_subscription_id, ls_customer_id, payload
    )
    VALUES (
        p_workspace_id, v_workspace.owner_id, p_event_type, p_ls_subscription_id, p_ls_customer_id,
        coalesce(p_payload, '{}')
    )
    ON CONFLICT (workspace_id, event_type, payload_hash) DO NOTHING;
    IF NOT found THEN
        RETURN v_workspace;
    END IF;

    v_effect := CASE p_event_type
        WHEN 'subscription_created' THEN 'pro'
        WHEN 'subscription_resumed' THEN 'pro'
        WHEN 'subscription_payment_success' THEN 'pro'
        WHEN 'subscription_cancelled' THEN 'cancelled'
        WHEN 'subscription_expired' THEN 'free'
        WHEN 'subscription_updated' THEN CASE
            WHEN p_payload #>> '{data,attributes,status}' IN ('on_trial', 'active', 'past_due') THEN 'pro'
            WHEN p_payload #>> '{data,attributes,status}' = 'cancelled' THEN 'cancelled'
            WHEN p_payload #>> '{data,attributes,status}' IN ('paused', 'unpaid', 'expired') THEN 'free'
        END
    END;
    IF v_effect IS NOT NULL THEN
        UPDATE workspaces AS w
        SET
            subscription_status = CASE v_effect WHEN 'free' THEN 'free' ELSE 'pro' END,
            subscription_expires_at = CASE
                WHEN v_effect = 'cancelled' THEN coalesce(p_expires_at, w.subscription_expires_at, now())
                ELSE coalesce(p_expires_at, w.subscription_expires_at)
            END,
            subscription_cancelled_at = CASE v_effect WHEN 'cancelled' THEN coalesce(w.subscription_cancelled_at, now()) END,
            lemonsqueezy_subscription_id = coalesce(p_ls_subscription_id, w.lemonsqueezy_subscription_id),
            lemonsqueezy_customer_id = coalesce(p_ls_customer_id, w.lemonsqueezy_customer_id)
        WHERE w.id = p_workspace_id
        RETURNING w.* INTO v_workspace;
    END IF;
    RETURN v_workspace;
END;
$$;
REVOKE ALL ON FUNCTION record_subscription_event(
    uuid, text, text, text, timestamptz, jsonb
) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION record_subscription_event(uuid, text, text, text, timestamptz, jsonb) IS
'Records a Lemon Squeezy event, once, moves the subscription of the workspace accordingly, and returns the workspace.';
