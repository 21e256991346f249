-- depends: 0002_workspaces
-- The owner is the workspace's, by the composite foreign key: row-level security reads an index instead of joining.
CREATE TABLE projects (
    id uuid DEFAULT gen_random_uuid(),
    name text NOT NULL,
    description text,
    workspace_id uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    owner_id uuid NOT NULL,
    CONSTRAINT projects_pkey PRIMARY KEY (id),
    CONSTRAINT projects_owner_id_id_key UNIQUE (owner_id, id),
    CONSTRAINT projects_workspace_id_fkey FOREIGN KEY (workspace_id, owner_id)
    REFERENCES workspaces (id, owner_id) ON DELETE CASCADE,
    CONSTRAINT projects_name_check CHECK (platform.is_not_blank(name))
);
ALTER TABLE projects ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON projects FROM PUBLIC, anon, authenticated, service_role;

CREATE INDEX projects_workspace_idx ON projects (workspace_id);

COMMENT ON TABLE projects IS 'What somebody works on; belongs to a workspace.';
COMMENT ON COLUMN projects.owner_id IS 'Maintained by the database: the owner of the workspace.';
