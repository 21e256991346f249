-- depends: 0001_vector
-- The root of what somebody works on and pays for.
CREATE TABLE workspaces (
    id uuid DEFAULT gen_random_uuid(),
    name text NOT NULL,
    owner_id uuid NOT NULL,
    owner_email text,
    subscription_status text NOT NULL DEFAULT 'free',
    subscription_expires_at timestamptz,
    lemonsqueezy_customer_id text,
    lemonsqueezy_subscription_id text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    subscription_cancelled_at timestamptz,
    CONSTRAINT workspaces_pkey PRIMARY KEY (id),
    -- What everything in a workspace refers to, so that it can belong to nobody but the owner.
    CONSTRAINT workspaces_owner_id_id_key UNIQUE (owner_id, id),
    CONSTRAINT workspaces_owner_id_fkey FOREIGN KEY (owner_id) REFERENCES auth.users (id) ON DELETE CASCADE,
    CONSTRAINT workspaces_name_check CHECK (platform.is_not_blank(name)),
    CONSTRAINT workspaces_owner_email_check CHECK (platform.is_email(owner_email)),
    CONSTRAINT workspaces_subscription_status_check CHECK (subscription_status IN ('free', 'pro'))
);
ALTER TABLE workspaces ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON workspaces FROM PUBLIC, anon, authenticated, service_role;

-- For the job that ends what was cancelled.
CREATE INDEX workspaces_cancelled_idx ON workspaces (subscription_expires_at)
WHERE subscription_cancelled_at IS NOT NULL AND subscription_status = 'pro';

COMMENT ON TABLE workspaces IS 'The root of tenancy: one for each person or organisation, with its subscription.';
COMMENT ON COLUMN workspaces.owner_id IS 'Never changes.';
COMMENT ON COLUMN workspaces.owner_email IS 'For admin queries.';
COMMENT ON COLUMN workspaces.subscription_status IS 'free or pro; changed by service_role only.';
COMMENT ON COLUMN workspaces.subscription_expires_at IS 'End of the billing period.';
COMMENT ON COLUMN workspaces.lemonsqueezy_customer_id IS 'For the customer portal.';
COMMENT ON COLUMN workspaces.subscription_cancelled_at IS
'When it was cancelled; it stays pro until subscription_expires_at, then the job expire-subscriptions ends it.';
