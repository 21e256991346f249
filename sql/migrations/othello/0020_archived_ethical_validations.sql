-- depends: 0019_archived_messages
-- Validations of archived messages. One that concerned an activity as well still counts there.
CREATE TABLE archived_ethical_validations (
    id bigint,
    user_id bigint NOT NULL,
    message_id bigint NOT NULL,
    agent_activity_id bigint,
    validator varchar(100) NOT NULL,
    result validation_result NOT NULL,
    rules_applied text[],
    concerns text[],
    reasoning text,
    override_allowed boolean NOT NULL,
    overridden_by_user boolean NOT NULL,
    metadata jsonb,
    created_at timestamptz NOT NULL,
    CONSTRAINT archived_ethical_validations_pkey PRIMARY KEY (id),
    CONSTRAINT archived_ethical_validations_message_id_fkey FOREIGN KEY (message_id, user_id)
    REFERENCES archived_messages (id, user_id) ON DELETE CASCADE,
    CONSTRAINT archived_ethical_validations_agent_activity_id_fkey FOREIGN KEY (agent_activity_id, user_id)
    REFERENCES agent_activities (id, user_id) ON DELETE CASCADE
);
ALTER TABLE archived_ethical_validations ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON archived_ethical_validations FROM PUBLIC, anon, authenticated, service_role;

CREATE INDEX archived_ethical_validations_user_idx ON archived_ethical_validations (user_id, created_at DESC);
CREATE INDEX archived_ethical_validations_message_idx ON archived_ethical_validations (message_id);
CREATE INDEX archived_ethical_validations_activity_idx ON archived_ethical_validations (agent_activity_id);

COMMENT ON TABLE archived_ethical_validations IS 'Ethical validations of archived messages.';
