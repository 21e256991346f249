-- depends: 0092_time_entries_triggers
-- Who changed what in the hierarchy and the journal. Append-only; goes with its user.
CREATE TABLE audit_log (
    id uuid DEFAULT gen_random_uuid(),
    user_id uuid NOT NULL,
    action text NOT NULL,
    entity_type text NOT NULL,
    entity_id uuid NOT NULL,
    old_values jsonb,
    new_values jsonb,
    ip_address inet,
    user_agent text,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT audit_log_pkey PRIMARY KEY (id),
    CONSTRAINT audit_log_user_id_fkey FOREIGN KEY (user_id) REFERENCES auth.users (id) ON DELETE CASCADE,
    CONSTRAINT audit_log_action_check CHECK (action IN ('create', 'update', 'delete', 'archive', 'restore'))
);
ALTER TABLE audit_log ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON audit_log FROM PUBLIC, anon, authenticated, service_role;

CREATE INDEX idx_audit_log_user ON audit_log (user_id, created_at DESC);
CREATE INDEX idx_audit_log_entity ON audit_log (entity_type, entity_id, created_at DESC);

COMMENT ON TABLE audit_log IS 'Every change of pillars, areas, projects, tasks and journal entries. Append-only.';
COMMENT ON COLUMN audit_log.user_id IS 'Whose row it was.';
COMMENT ON COLUMN audit_log.old_values IS 'Of the columns that changed, embeddings left out.';
COMMENT ON COLUMN audit_log.new_values IS 'Of the columns that changed, embeddings left out.';
COMMENT ON COLUMN audit_log.ip_address IS 'From the request, where the gateway passes it on (x-forwarded-for).';
