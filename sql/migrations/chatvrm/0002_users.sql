-- depends: 0001_vector
-- People who make characters. Who they are is Auth0's to say, what they pay for the subscriptions'.
CREATE TABLE users (
    id uuid DEFAULT gen_random_uuid(),
    email varchar(255) NOT NULL,
    auth0_id varchar(255) NOT NULL,
    name varchar(255),
    avatar_url text,
    settings jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    last_login_at timestamptz,
    email_verified boolean NOT NULL DEFAULT FALSE,
    subscription_tier varchar(50) NOT NULL DEFAULT 'free',
    CONSTRAINT users_pkey PRIMARY KEY (id),
    CONSTRAINT idx_users_email UNIQUE (email),
    CONSTRAINT idx_users_auth0_id UNIQUE (auth0_id),
    CONSTRAINT users_email_check CHECK (platform.is_email(email)),
    CONSTRAINT users_auth0_id_check CHECK (platform.is_not_blank(auth0_id)),
    CONSTRAINT users_subscription_tier_check CHECK (platform.is_not_blank(subscription_tier))
);
ALTER TABLE users ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON users FROM PUBLIC, anon, authenticated, service_role;

COMMENT ON TABLE users IS 'People who make characters and talk with them.';
COMMENT ON COLUMN users.auth0_id IS 'The sub of their tokens, for example auth0|5f7c8ec7.';
COMMENT ON COLUMN users.email_verified IS 'As Auth0 says; changed by service_role only.';
COMMENT ON COLUMN users.subscription_tier IS 'Maintained by the database: that of the active subscription, else free.';
