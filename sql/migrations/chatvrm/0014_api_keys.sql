-- depends: 0013_subscriptions
-- Keys for programs. A key is told once, by create_api_key(), and only its sha256 is kept, which no API role reads:
-- users and services see the view.
CREATE TABLE api_keys (
    id uuid DEFAULT gen_random_uuid(),
    user_id uuid NOT NULL,
    key_hash varchar(255) NOT NULL,
    key_prefix varchar(255) NOT NULL,
    name varchar(255) NOT NULL,
    scopes varchar(255)[] NOT NULL DEFAULT '{}',
    last_used_at timestamptz,
    expires_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    is_active boolean NOT NULL DEFAULT TRUE,
    CONSTRAINT api_keys_pkey PRIMARY KEY (id),
    CONSTRAINT api_keys_key_hash_key UNIQUE (key_hash),
    CONSTRAINT api_keys_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT api_keys_key_hash_check CHECK (key_hash ~ '^[0-9a-f]{64}$'),
    CONSTRAINT api_keys_name_check CHECK (platform.is_not_blank(name)),
    CONSTRAINT api_keys_scopes_check CHECK (platform.is_set(scopes)),
    CONSTRAINT api_keys_expires_at_check CHECK (expires_at > created_at)
);
ALTER TABLE api_keys ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON api_keys FROM PUBLIC, anon, authenticated, service_role;

CREATE INDEX api_keys_user_idx ON api_keys (user_id, created_at DESC);

COMMENT ON TABLE api_keys IS 'Keys for programs. No API role reads it: see api_keys_public.';
COMMENT ON COLUMN api_keys.key_hash IS 'The sha256 of the key, in hexadecimal digits.';
COMMENT ON COLUMN api_keys.key_prefix IS
'The second part of the key, by which its owner knows it: cvrm_<prefix>_<secret>.';
COMMENT ON COLUMN api_keys.last_used_at IS 'Set by authenticate_api_key(), once a minute at most.';
COMMENT ON COLUMN api_keys.is_active IS 'False once it is revoked.';

CREATE VIEW api_keys_public WITH (security_barrier = TRUE) AS
SELECT
    k.id,
    k.user_id,
    k.key_prefix,
    k.name,
    k.scopes,
    k.last_used_at,
    k.expires_at,
    k.created_at,
    k.is_active
FROM api_keys AS k
WHERE k.user_id = (SELECT current_user_id()) OR (SELECT platform.is_service());
REVOKE ALL ON api_keys_public FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON VIEW api_keys_public IS 'One''s own keys, without their hashes; service_role sees all.';
