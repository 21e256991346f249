-- depends: 0009_current_user_id
-- What the assistant has found out about a part of the hierarchy, or about all of it. entity_id has no one table to
-- refer to: triggers see that it exists and is the user's, and remove the insight with it.
CREATE TABLE insights (
    id uuid DEFAULT gen_random_uuid(),
    user_id uuid NOT NULL,
    entity_type text NOT NULL,
    entity_id uuid,
    insight_type text NOT NULL,
    title text NOT NULL,
    summary text NOT NULL,
    detailed_reasoning jsonb NOT NULL,
    confidence_score numeric(3, 2) NOT NULL,
    impact_score numeric(3, 2),
    reasoning_path jsonb NOT NULL DEFAULT '[]',
    supporting_data jsonb NOT NULL DEFAULT '{}',
    llm_session_id text,
    llm_context jsonb,
    llm_model_used text DEFAULT 'gemini-1.5-flash',
    user_feedback text,
    feedback_details jsonb,
    application_count integer NOT NULL DEFAULT 0,
    is_active boolean NOT NULL DEFAULT TRUE,
    is_pinned boolean NOT NULL DEFAULT FALSE,
    expires_at timestamptz,
    tags text[] NOT NULL DEFAULT '{}',
    version integer NOT NULL DEFAULT 1,
    previous_version_id uuid,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    last_accessed_at timestamptz,
    CONSTRAINT insights_pkey PRIMARY KEY (id),
    -- What a new version refers to, so that it can belong to nobody else.
    CONSTRAINT insights_user_id_id_key UNIQUE (user_id, id),
    CONSTRAINT insights_previous_version_id_key UNIQUE (previous_version_id),
    CONSTRAINT insights_user_id_fkey FOREIGN KEY (user_id) REFERENCES auth.users (id) ON DELETE CASCADE,
    CONSTRAINT insights_previous_version_id_fkey FOREIGN KEY (previous_version_id, user_id)
    REFERENCES insights (id, user_id) ON DELETE SET NULL (previous_version_id),
    CONSTRAINT insights_entity_type_check CHECK (entity_type IN ('pillar', 'area', 'project', 'task', 'global')),
    CONSTRAINT insights_entity_id_check CHECK ((entity_type = 'global') = (entity_id IS NULL)),
    CONSTRAINT insights_insight_type_check CHECK (
        insight_type IN (
            'priority_reasoning', 'alignment_analysis', 'pattern_recognition', 'recommendation', 'goal_coherence',
            'time_allocation', 'progress_prediction', 'obstacle_identification', 'optimization_suggestion'
        )
    ),
    CONSTRAINT insights_title_check CHECK (platform.is_not_blank(title)),
    CONSTRAINT insights_summary_check CHECK (platform.is_not_blank(summary)),
    CONSTRAINT insights_confidence_score_check CHECK (confidence_score BETWEEN 0 AND 1),
    CONSTRAINT insights_impact_score_check CHECK (impact_score BETWEEN 0 AND 1),
    CONSTRAINT insights_user_feedback_check CHECK (
        user_feedback IN ('accepted', 'rejected', 'modified', 'ignored')
    ),
    CONSTRAINT insights_application_count_check CHECK (application_count >= 0),
    CONSTRAINT insights_tags_check CHECK (platform.is_set(tags)),
    CONSTRAINT insights_version_check CHECK (version >= 1)
);
ALTER TABLE insights ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON insights FROM PUBLIC, anon, authenticated, service_role;

CREATE INDEX idx_insights_user_entity ON insights (user_id, entity_type, entity_id);
CREATE INDEX idx_insights_active ON insights (user_id, is_active, created_at DESC);
CREATE INDEX idx_insights_type ON insights (user_id, insight_type, created_at DESC);
CREATE INDEX idx_insights_expiry ON insights (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX idx_insights_feedback ON insights (user_id, user_feedback) WHERE user_feedback IS NOT NULL;
-- For the removal of what an insight is about.
CREATE INDEX insights_entity_idx ON insights (entity_id);

COMMENT ON TABLE insights IS 'What the assistant has found out about a pillar, area, project or task, or about all.';
COMMENT ON COLUMN insights.entity_id IS 'A row of the same user in the table that entity_type names; null for global.';
COMMENT ON COLUMN insights.confidence_score IS '0 to 1.';
COMMENT ON COLUMN insights.impact_score IS '0 to 1.';
COMMENT ON COLUMN insights.application_count IS
'Maintained by record_insight_feedback(): how often it was accepted or modified.';
COMMENT ON COLUMN insights.is_active IS 'False once a newer version stands, or it has expired.';
COMMENT ON COLUMN insights.version IS 'Maintained by the database: one more than that of previous_version_id.';
