-- depends: 0028_message_changes
-- Who changed what. Append-only for everyone; no foreign key, since a log outlives what it tells of.
CREATE TABLE audit_logs (
    id uuid DEFAULT gen_random_uuid(),
    user_id uuid,
    action varchar(50) NOT NULL,
    entity_type varchar(50) NOT NULL,
    entity_id uuid NOT NULL,
    changes jsonb NOT NULL,
    ip_address inet,
    user_agent text,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT audit_logs_pkey PRIMARY KEY (id),
    CONSTRAINT audit_logs_action_check CHECK (action IN ('insert', 'update', 'delete'))
);
ALTER TABLE audit_logs ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON audit_logs FROM PUBLIC, anon, authenticated, service_role;

CREATE INDEX idx_audit_logs_user_id ON audit_logs (user_id);
CREATE INDEX idx_audit_logs_entity ON audit_logs (entity_type, entity_id);

COMMENT ON TABLE audit_logs IS
'Every change of characters, knowledge_bases, documents, subscriptions and api_keys. Append-only.';
COMMENT ON COLUMN audit_logs.user_id IS 'Who did it; null for services and jobs.';
COMMENT ON COLUMN audit_logs.entity_type IS 'The table.';
COMMENT ON COLUMN audit_logs.changes IS
'{"column": {"old": …, "new": …}} of what changed; of long texts their length and sha256.';
COMMENT ON COLUMN audit_logs.ip_address IS 'From the request, where the gateway passes it on (x-forwarded-for).';
