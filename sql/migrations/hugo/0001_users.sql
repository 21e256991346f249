-- People of the Oriva platform; everything else of a person hangs on this row and goes with it.
CREATE TABLE users (
    id uuid DEFAULT gen_random_uuid(),
    oriva_user_id uuid NOT NULL,
    email text NOT NULL,
    preferences jsonb DEFAULT '{}',
    subscription_tier text NOT NULL DEFAULT 'free',
    data_retention_days integer NOT NULL DEFAULT 365,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    last_active_at timestamptz,
    CONSTRAINT users_pkey PRIMARY KEY (id),
    CONSTRAINT users_oriva_id_idx UNIQUE (oriva_user_id),
    CONSTRAINT users_email_idx UNIQUE (email),
    CONSTRAINT users_email_check CHECK (platform.is_email(email)),
    CONSTRAINT users_subscription_tier_check CHECK (subscription_tier IN ('free', 'premium', 'enterprise')),
    CONSTRAINT users_retention_check CHECK (data_retention_days BETWEEN 30 AND 1825)
);
ALTER TABLE users ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON users FROM PUBLIC, anon, authenticated, service_role;

CREATE INDEX users_active_idx ON users (last_active_at DESC);

COMMENT ON TABLE users IS 'People of the Oriva platform, who may use several coaching apps.';
COMMENT ON COLUMN users.oriva_user_id IS 'The person''s id on the Oriva platform; services issue tokens for it.';
COMMENT ON COLUMN users.preferences IS 'Shared by all apps, for example {"notifications": true, "theme": "dark"}.';
COMMENT ON COLUMN users.subscription_tier IS 'free, premium or enterprise; changed by service_role only.';
COMMENT ON COLUMN users.data_retention_days IS
'How long memories and archived conversations are kept: 30 to 1825 days.';
