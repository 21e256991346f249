-- depends: 0010_knowledge_entries
-- A user's learning journey in one app.
CREATE TABLE user_progress (
    id uuid DEFAULT gen_random_uuid(),
    user_id uuid NOT NULL,
    app_id uuid NOT NULL,
    progress_data jsonb NOT NULL DEFAULT '{}',
    milestones_reached text[] DEFAULT '{}',
    current_focus_area text,
    total_conversations integer NOT NULL DEFAULT 0,
    total_messages integer NOT NULL DEFAULT 0,
    started_at timestamptz NOT NULL DEFAULT now(),
    last_updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT user_progress_pkey PRIMARY KEY (id),
    CONSTRAINT up_user_app_idx UNIQUE (user_id, app_id),
    CONSTRAINT user_progress_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT user_progress_app_id_fkey FOREIGN KEY (app_id) REFERENCES apps (id),
    CONSTRAINT up_milestones_check CHECK (platform.is_set(milestones_reached)),
    CONSTRAINT up_total_conversations_check CHECK (total_conversations >= 0),
    CONSTRAINT up_total_messages_check CHECK (total_messages >= 0)
);
ALTER TABLE user_progress ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON user_progress FROM PUBLIC, anon, authenticated, service_role;

CREATE INDEX up_milestones_idx ON user_progress USING gin (milestones_reached);
CREATE INDEX up_app_idx ON user_progress (app_id);

COMMENT ON TABLE user_progress IS 'A user''s learning progress in one app.';
COMMENT ON COLUMN user_progress.progress_data IS
'Free form, for example {"current_focus": "authentic_vulnerability", "skill_levels": {"communication": 0.6}}.';
COMMENT ON COLUMN user_progress.milestones_reached IS 'Without duplicates.';
COMMENT ON COLUMN user_progress.total_conversations IS
'Maintained by the database; a lifetime total, which nothing lowers.';
COMMENT ON COLUMN user_progress.total_messages IS 'Maintained by the database; a lifetime total, which nothing lowers.';
