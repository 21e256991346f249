-- depends: 0010_work_outputs
-- Append-only. The hash makes an event that is delivered twice one row: an index over payloads would have no room for
-- the larger ones.
CREATE TABLE subscription_events (
    id uuid DEFAULT gen_random_uuid(),
    workspace_id uuid NOT NULL,
    event_type text NOT NULL,
    event_source text NOT NULL DEFAULT 'lemonsqueezy',
    ls_subscription_id text,
    ls_customer_id text,
    payload jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    owner_id uuid NOT NULL,
    payload_hash text NOT NULL,
    CONSTRAINT subscription_events_pkey PRIMARY KEY (id),
    CONSTRAINT subscription_events_payload_key UNIQUE (workspace_id, event_type, payload_hash),
    CONSTRAINT subscription_events_workspace_id_fkey FOREIGN KEY (workspace_id, owner_id)
    REFERENCES workspaces (id, owner_id) ON DELETE CASCADE,
    -- Short enough for the index that holds it.
    CONSTRAINT subscription_events_event_type_check CHECK (
        platform.is_not_blank(event_type) AND char_length(event_type) <= 200
    )
);
ALTER TABLE subscription_events ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON subscription_events FROM PUBLIC, anon, authenticated, service_role;

CREATE INDEX subscription_events_workspace_idx ON subscription_events (workspace_id, created_at DESC);
CREATE INDEX subscription_events_owner_idx ON subscription_events (owner_id, created_at DESC);

COMMENT ON TABLE subscription_events IS 'Billing events as they came; nobody but the database''s owner changes one.';
COMMENT ON COLUMN subscription_events.event_type IS 'For example subscription_created, subscription_cancelled.';
COMMENT ON COLUMN subscription_events.payload IS 'The whole webhook.';
COMMENT ON COLUMN subscription_events.owner_id IS 'Maintained by the database: the owner of the workspace.';
COMMENT ON COLUMN subscription_events.payload_hash IS 'Maintained by the database: the sha256 of payload.';
