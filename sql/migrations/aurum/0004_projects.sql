-- depends: 0003_areas
-- Base. With the statuses that applications showed to people.
CREATE TABLE projects (
    id uuid DEFAULT gen_random_uuid(),
    user_id uuid NOT NULL,
    area_id uuid NOT NULL,
    name text NOT NULL,
    description text DEFAULT '',
    icon text,
    deadline timestamptz,
    status text DEFAULT 'Not Started',
    priority text DEFAULT 'medium',
    importance integer DEFAULT 3,
    completion_percentage numeric(5, 2) DEFAULT 0,
    archived boolean DEFAULT FALSE,
    sort_order integer DEFAULT 0,
    created_at timestamptz DEFAULT now(),
    updated_at timestamptz DEFAULT now(),
    CONSTRAINT projects_pkey PRIMARY KEY (id),
    CONSTRAINT projects_user_id_fkey FOREIGN KEY (user_id) REFERENCES auth.users (id) ON DELETE CASCADE,
    CONSTRAINT projects_area_id_fkey FOREIGN KEY (area_id) REFERENCES areas (id) ON DELETE CASCADE,
    CONSTRAINT projects_status_check CHECK (status IN ('Not Started', 'In Progress', 'Completed', 'On Hold')),
    CONSTRAINT projects_priority_check CHECK (priority IN ('low', 'medium', 'high')),
    CONSTRAINT projects_importance_check CHECK (importance >= 1 AND importance <= 5)
);
ALTER TABLE projects ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON projects FROM PUBLIC, anon, authenticated, service_role;
