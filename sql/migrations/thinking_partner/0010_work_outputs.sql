-- depends: 0009_work_tickets
-- What agents deliver.
CREATE TABLE work_outputs (
    id uuid DEFAULT gen_random_uuid(),
    title text NOT NULL,
    output_type text NOT NULL,
    content text,
    file_url text,
    file_format text,
    ticket_id uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    owner_id uuid NOT NULL,
    CONSTRAINT work_outputs_pkey PRIMARY KEY (id),
    CONSTRAINT work_outputs_ticket_id_fkey FOREIGN KEY (ticket_id, owner_id)
    REFERENCES work_tickets (id, owner_id) ON DELETE CASCADE,
    CONSTRAINT work_outputs_title_check CHECK (platform.is_not_blank(title)),
    CONSTRAINT work_outputs_output_type_check CHECK (output_type IN ('text', 'file')),
    CONSTRAINT work_outputs_text_check CHECK (
        output_type <> 'text' OR coalesce(platform.is_not_blank(content), FALSE)
    ),
    CONSTRAINT work_outputs_file_check CHECK (
        output_type <> 'file'
        OR coalesce(platform.is_not_blank(file_url) AND platform.is_not_blank(file_format), FALSE)
    )
);
ALTER TABLE work_outputs ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON work_outputs FROM PUBLIC, anon, authenticated, service_role;

CREATE INDEX work_outputs_ticket_idx ON work_outputs (ticket_id, created_at);
CREATE INDEX work_outputs_owner_idx ON work_outputs (owner_id, created_at DESC);

COMMENT ON TABLE work_outputs IS 'What agents deliver for a ticket.';
COMMENT ON COLUMN work_outputs.output_type IS 'text (with content) or file (with file_url and file_format).';
COMMENT ON COLUMN work_outputs.file_format IS 'For example pdf, pptx, docx.';
COMMENT ON COLUMN work_outputs.owner_id IS 'Maintained by the database: the owner of the workspace.';
