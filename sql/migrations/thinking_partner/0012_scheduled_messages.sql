-- depends: 0011_subscription_events
-- Messages to be sent at a time. A worker's claim is a lease: the state stays pending until it is sent or has failed.
CREATE TABLE scheduled_messages (
    id uuid DEFAULT gen_random_uuid(),
    workspace_id uuid NOT NULL,
    scheduled_for timestamptz NOT NULL,
    message_type text NOT NULL,
    subject text,
    content jsonb NOT NULL DEFAULT '{}',
    recipient_email text NOT NULL,
    status text NOT NULL DEFAULT 'pending',
    sent_at timestamptz,
    failure_reason text,
    created_at timestamptz NOT NULL DEFAULT now(),
    owner_id uuid NOT NULL,
    claimed_until timestamptz,
    CONSTRAINT scheduled_messages_pkey PRIMARY KEY (id),
    CONSTRAINT scheduled_messages_owner_id_id_key UNIQUE (owner_id, id),
    CONSTRAINT scheduled_messages_workspace_id_fkey FOREIGN KEY (workspace_id, owner_id)
    REFERENCES workspaces (id, owner_id) ON DELETE CASCADE,
    CONSTRAINT scheduled_messages_message_type_check CHECK (platform.is_not_blank(message_type)),
    CONSTRAINT scheduled_messages_recipient_email_check CHECK (platform.is_email(recipient_email)),
    CONSTRAINT scheduled_messages_status_check CHECK (status IN ('pending', 'sent', 'failed')),
    CONSTRAINT scheduled_messages_sent_at_check CHECK ((status = 'sent') = (sent_at IS NOT NULL)),
    CONSTRAINT scheduled_messages_failure_reason_check CHECK (
        CASE
            WHEN status = 'failed' THEN coalesce(platform.is_not_blank(failure_reason), FALSE)
            ELSE failure_reason IS NULL
        END
    )
);
ALTER TABLE scheduled_messages ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON scheduled_messages FROM PUBLIC, anon, authenticated, service_role;

CREATE INDEX scheduled_messages_workspace_idx ON scheduled_messages (workspace_id, scheduled_for);
CREATE INDEX scheduled_messages_due_idx ON scheduled_messages (scheduled_for, id) WHERE status = 'pending';

COMMENT ON TABLE scheduled_messages IS 'Messages to be sent at a time.';
COMMENT ON COLUMN scheduled_messages.content IS 'What the template needs.';
COMMENT ON COLUMN scheduled_messages.status IS 'pending → sent or failed; failed → pending to try again.';
COMMENT ON COLUMN scheduled_messages.sent_at IS 'Set by the database on sent.';
COMMENT ON COLUMN scheduled_messages.failure_reason IS 'Why it failed; cleared by the database when it leaves failed.';
COMMENT ON COLUMN scheduled_messages.owner_id IS 'Maintained by the database: the owner of the workspace.';
COMMENT ON COLUMN scheduled_messages.claimed_until IS
'Until when a worker has it; claim_due_messages() offers it again only then.';
