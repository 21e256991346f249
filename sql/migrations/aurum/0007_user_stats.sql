-- depends: 0006_journal_entries
-- Base; the last file of it. Counters of a user.
CREATE TABLE user_stats (
    id uuid DEFAULT gen_random_uuid(),
    user_id uuid NOT NULL,
    total_journal_entries integer DEFAULT 0,
    total_tasks integer DEFAULT 0,
    tasks_completed integer DEFAULT 0,
    total_areas integer DEFAULT 0,
    total_projects integer DEFAULT 0,
    completed_projects integer DEFAULT 0,
    last_updated timestamptz DEFAULT now(),
    created_at timestamptz DEFAULT now(),
    CONSTRAINT user_stats_pkey PRIMARY KEY (id),
    CONSTRAINT user_stats_user_id_key UNIQUE (user_id),
    CONSTRAINT user_stats_user_id_fkey FOREIGN KEY (user_id) REFERENCES auth.users (id) ON DELETE CASCADE
);
ALTER TABLE user_stats ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON user_stats FROM PUBLIC, anon, authenticated, service_role;
