-- depends: 0039_record_subscription_event
-- Only what was cancelled: who pays on is renewed by an event, which may come a little late.
CREATE FUNCTION expire_subscriptions()
RETURNS integer
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
DECLARE
    v_expired integer;
BEGIN
    UPDATE workspaces AS w
    SET subscription_status = 'free'
    WHERE
        w.subscription_status = 'pro'
        AND w.subscription_cancelled_at IS NOT NULL
        AND w.subscription_expires_at <= now();
    GET DIAGNOSTICS v_expired = ROW_COUNT;
    RETURN v_expired;
END;
$$;
REVOKE ALL ON FUNCTION expire_subscriptions() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION expire_subscriptions() IS
'Ends cancelled subscriptions whose billing period is over; how many. A job.';
