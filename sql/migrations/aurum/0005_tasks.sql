-- depends: 0004_projects
-- Base. What is to be done in a project; a task may have sub-tasks and wait for others.
CREATE TABLE tasks (
    id uuid DEFAULT gen_random_uuid(),
    user_id uuid NOT NULL,
    project_id uuid NOT NULL,
    parent_task_id uuid,
    name text NOT NULL,
    description text DEFAULT '',
    status text DEFAULT 'todo',
    priority text DEFAULT 'medium',
    due_date timestamptz,
    completed boolean DEFAULT FALSE,
    completed_at timestamptz,
    dependency_task_ids uuid[] DEFAULT '{}',
    kanban_column text DEFAULT 'to_do',
    sort_order integer DEFAULT 0,
    estimated_duration integer,
    archived boolean DEFAULT FALSE,
    created_at timestamptz DEFAULT now(),
    updated_at timestamptz DEFAULT now(),
    CONSTRAINT tasks_pkey PRIMARY KEY (id),
    CONSTRAINT tasks_user_id_fkey FOREIGN KEY (user_id) REFERENCES auth.users (id) ON DELETE CASCADE,
    CONSTRAINT tasks_project_id_fkey FOREIGN KEY (project_id) REFERENCES projects (id) ON DELETE CASCADE,
    CONSTRAINT tasks_parent_task_id_fkey FOREIGN KEY (parent_task_id) REFERENCES tasks (id) ON DELETE CASCADE,
    CONSTRAINT tasks_status_check CHECK (status IN ('todo', 'in_progress', 'review', 'completed')),
    CONSTRAINT tasks_priority_check CHECK (priority IN ('low', 'medium', 'high')),
    CONSTRAINT tasks_kanban_column_check CHECK (kanban_column IN ('to_do', 'in_progress', 'review', 'done'))
);
ALTER TABLE tasks ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON tasks FROM PUBLIC, anon, authenticated, service_role;
