-- depends: 0012_scheduled_messages
-- What the provider reports on each e-mail.
CREATE TABLE email_delivery_log (
    id uuid DEFAULT gen_random_uuid(),
    scheduled_message_id uuid NOT NULL,
    recipient text NOT NULL,
    subject text,
    provider text NOT NULL DEFAULT 'resend',
    provider_message_id text,
    status text NOT NULL DEFAULT 'sent',
    status_updated_at timestamptz NOT NULL DEFAULT now(),
    created_at timestamptz NOT NULL DEFAULT now(),
    owner_id uuid NOT NULL,
    CONSTRAINT email_delivery_log_pkey PRIMARY KEY (id),
    CONSTRAINT email_delivery_log_provider_message_id_key UNIQUE (provider_message_id),
    CONSTRAINT email_delivery_log_scheduled_message_id_fkey FOREIGN KEY (scheduled_message_id, owner_id)
    REFERENCES scheduled_messages (id, owner_id) ON DELETE CASCADE,
    CONSTRAINT email_delivery_log_status_check CHECK (
        status IN ('sent', 'delivered', 'opened', 'clicked', 'bounced', 'failed')
    )
);
ALTER TABLE email_delivery_log ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON email_delivery_log FROM PUBLIC, anon, authenticated, service_role;

CREATE INDEX email_delivery_log_message_idx ON email_delivery_log (scheduled_message_id);
CREATE INDEX email_delivery_log_owner_idx ON email_delivery_log (owner_id, created_at DESC);

COMMENT ON TABLE email_delivery_log IS 'What the provider reports on each e-mail, one row for each of its messages.';
COMMENT ON COLUMN email_delivery_log.status IS 'sent, delivered, opened, clicked, bounced or failed.';
COMMENT ON COLUMN email_delivery_log.status_updated_at IS 'Maintained by the database: when status last changed.';
COMMENT ON COLUMN email_delivery_log.owner_id IS 'Maintained by the database: the owner of the workspace.';
