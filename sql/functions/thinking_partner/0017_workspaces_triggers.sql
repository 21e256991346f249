-- depends: 0016_inherit_owner
-- The owner stays; what is paid for is the service's business: a workspace that a user makes begins free.
CREATE TRIGGER workspaces_authority
BEFORE UPDATE ON workspaces
FOR EACH ROW
WHEN (
    (
        old.subscription_status, old.subscription_expires_at, old.subscription_cancelled_at,
        old.lemonsqueezy_customer_id, old.lemonsqueezy_subscription_id
    )
    IS DISTINCT FROM (
        new.subscription_status, new.subscription_expires_at, new.subscription_cancelled_at,
        new.lemonsqueezy_customer_id, new.lemonsqueezy_subscription_id
    )
)
EXECUTE FUNCTION platform.refuse_change_by_user(
    'workspaces', 'workspaces_subscription_authority_check',
    'subscription_status', 'subscription_expires_at', 'subscription_cancelled_at', 'lemonsqueezy_customer_id',
    'lemonsqueezy_subscription_id'
);

-- After the insert, which an upsert of a workspace that is there already, paid for or not, never comes to.
CREATE TRIGGER workspaces_authority_insert
AFTER INSERT ON workspaces
FOR EACH ROW
WHEN (
    (
        new.subscription_status, new.subscription_expires_at, new.subscription_cancelled_at,
        new.lemonsqueezy_customer_id, new.lemonsqueezy_subscription_id
    )
    IS DISTINCT FROM ('free', NULL, NULL, NULL, NULL)
)
EXECUTE FUNCTION platform.refuse_change_by_user(
    'workspaces', 'workspaces_subscription_authority_check',
    'subscription_status', 'subscription_expires_at', 'subscription_cancelled_at', 'lemonsqueezy_customer_id',
    'lemonsqueezy_subscription_id'
);

CREATE TRIGGER workspaces_immutable
BEFORE UPDATE ON workspaces
FOR EACH ROW
WHEN ((old.id, old.owner_id) IS DISTINCT FROM (new.id, new.owner_id))
EXECUTE FUNCTION platform.refuse_change('workspaces', 'workspaces_immutable_check', 'id', 'owner_id');

CREATE TRIGGER workspaces_maintain
BEFORE INSERT OR UPDATE ON workspaces
FOR EACH ROW
EXECUTE FUNCTION platform.maintain_columns('{}', '{"created_at": "now", "updated_at": "now"}');

CREATE TRIGGER workspaces_updated_at
BEFORE UPDATE ON workspaces
FOR EACH ROW
EXECUTE FUNCTION platform.update_updated_at_column();
