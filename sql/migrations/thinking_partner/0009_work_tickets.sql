-- depends: 0008_chunks
-- Work for agents.
CREATE TABLE work_tickets (
    id uuid DEFAULT gen_random_uuid(),
    task text NOT NULL,
    agent_type text NOT NULL,
    status text NOT NULL DEFAULT 'pending',
    parameters jsonb NOT NULL DEFAULT '{}',
    error_message text,
    project_id uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz,
    completed_at timestamptz,
    owner_id uuid NOT NULL,
    claimed_until timestamptz,
    CONSTRAINT work_tickets_pkey PRIMARY KEY (id),
    CONSTRAINT work_tickets_owner_id_id_key UNIQUE (owner_id, id),
    CONSTRAINT work_tickets_project_id_fkey FOREIGN KEY (project_id, owner_id)
    REFERENCES projects (id, owner_id) ON DELETE CASCADE,
    CONSTRAINT work_tickets_task_check CHECK (platform.is_not_blank(task)),
    CONSTRAINT work_tickets_agent_type_check CHECK (agent_type IN ('research', 'content', 'reporting')),
    CONSTRAINT work_tickets_status_check CHECK (status IN ('pending', 'running', 'completed', 'failed')),
    CONSTRAINT work_tickets_started_at_check CHECK ((status = 'pending') = (started_at IS NULL)),
    CONSTRAINT work_tickets_completed_at_check CHECK (
        (status IN ('completed', 'failed')) = (completed_at IS NOT NULL)
    ),
    CONSTRAINT work_tickets_error_message_check CHECK (
        CASE
            WHEN status = 'failed' THEN coalesce(platform.is_not_blank(error_message), FALSE)
            ELSE error_message IS NULL
        END
    )
);
ALTER TABLE work_tickets ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON work_tickets FROM PUBLIC, anon, authenticated, service_role;

CREATE INDEX work_tickets_project_idx ON work_tickets (project_id, created_at DESC);
CREATE INDEX work_tickets_queue_idx ON work_tickets (created_at, id) WHERE status IN ('pending', 'running');

COMMENT ON TABLE work_tickets IS 'Work that agents are asked to do for a project.';
COMMENT ON COLUMN work_tickets.agent_type IS 'research, content or reporting.';
COMMENT ON COLUMN work_tickets.status IS 'pending → running → completed or failed.';
COMMENT ON COLUMN work_tickets.parameters IS 'Whatever the agent needs.';
COMMENT ON COLUMN work_tickets.error_message IS 'Why it failed.';
COMMENT ON COLUMN work_tickets.started_at IS 'Set by the database when an agent first takes it.';
COMMENT ON COLUMN work_tickets.completed_at IS 'Set by the database when it is completed or has failed.';
COMMENT ON COLUMN work_tickets.owner_id IS 'Maintained by the database: the owner of the workspace.';
COMMENT ON COLUMN work_tickets.claimed_until IS
'While it is running: until when a worker has it; then claim_tickets() offers it again.';
