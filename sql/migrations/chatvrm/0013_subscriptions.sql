-- depends: 0012_voice_configs
-- What people pay for, as Stripe says.
CREATE TABLE subscriptions (
    id uuid DEFAULT gen_random_uuid(),
    user_id uuid NOT NULL,
    stripe_subscription_id varchar(255) NOT NULL,
    stripe_customer_id varchar(255),
    status varchar(50) NOT NULL,
    tier varchar(50) NOT NULL,
    monthly_price numeric(10, 2) NOT NULL DEFAULT 0,
    current_period_start timestamptz,
    current_period_end timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    canceled_at timestamptz,
    CONSTRAINT subscriptions_pkey PRIMARY KEY (id),
    CONSTRAINT subscriptions_stripe_subscription_id_key UNIQUE (stripe_subscription_id),
    CONSTRAINT subscriptions_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT subscriptions_stripe_subscription_id_check CHECK (platform.is_not_blank(stripe_subscription_id)),
    CONSTRAINT subscriptions_status_check CHECK (
        status IN (
            'incomplete', 'incomplete_expired', 'trialing', 'active', 'past_due', 'canceled', 'unpaid', 'paused'
        )
    ),
    CONSTRAINT subscriptions_tier_check CHECK (platform.is_not_blank(tier)),
    -- NaN is greater than any number.
    CONSTRAINT subscriptions_monthly_price_check CHECK (monthly_price >= 0 AND monthly_price <> 'NaN'),
    CONSTRAINT subscriptions_period_check CHECK (current_period_end > current_period_start),
    CONSTRAINT subscriptions_canceled_at_check CHECK ((status = 'canceled') = (canceled_at IS NOT NULL))
);
ALTER TABLE subscriptions ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON subscriptions FROM PUBLIC, anon, authenticated, service_role;

CREATE UNIQUE INDEX unique_user_subscription ON subscriptions (user_id) WHERE status = 'active';
CREATE INDEX subscriptions_user_idx ON subscriptions (user_id, created_at DESC);

COMMENT ON TABLE subscriptions IS 'Subscriptions at Stripe; at most one of a user is active.';
COMMENT ON COLUMN subscriptions.status IS 'Stripe''s word for it.';
COMMENT ON COLUMN subscriptions.tier IS 'What it buys; users.subscription_tier follows that of the active one.';
COMMENT ON COLUMN subscriptions.canceled_at IS 'When it was canceled; set exactly when status is canceled.';
