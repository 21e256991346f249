-- depends: 0032_users_triggers
-- users.subscription_tier. The user's row is locked before looking, so that of two changes at once the later one sees
-- the other; a definer function, since nobody else may write the tier.
CREATE FUNCTION follow_subscription()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
DECLARE
    c_user CONSTANT uuid := CASE tg_op WHEN 'DELETE' THEN old.user_id ELSE new.user_id END;
    v_tier text;
BEGIN
    PERFORM FROM users AS u WHERE u.id = c_user FOR NO KEY UPDATE;
    SELECT s.tier::text INTO v_tier FROM subscriptions AS s WHERE s.user_id = c_user AND s.status = 'active';
    UPDATE users AS u
    SET subscription_tier = coalesce(v_tier, 'free')
    WHERE u.id = c_user AND u.subscription_tier <> coalesce(v_tier, 'free');
    RETURN NULL;
END;
$$;
REVOKE ALL ON FUNCTION follow_subscription() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION follow_subscription() IS 'Trigger: users.subscription_tier is the tier of the active subscription.';

CREATE TRIGGER subscriptions_immutable
BEFORE UPDATE ON subscriptions
FOR EACH ROW
WHEN ((old.id, old.user_id) IS DISTINCT FROM (new.id, new.user_id))
EXECUTE FUNCTION platform.refuse_change('subscriptions', 'subscriptions_immutable_check', 'id', 'user_id');

CREATE TRIGGER subscriptions_tier
AFTER INSERT OR DELETE OR UPDATE ON subscriptions
FOR EACH ROW
EXECUTE FUNCTION follow_subscription();

CREATE TRIGGER subscriptions_updated_at
BEFORE UPDATE ON subscriptions
FOR EACH ROW
EXECUTE FUNCTION platform.update_updated_at_column();
