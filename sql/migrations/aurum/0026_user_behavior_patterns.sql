-- depends: 0025_time_entries
-- What the assistant has learned of somebody's habits; written by services.
CREATE TABLE user_behavior_patterns (
    id uuid DEFAULT gen_random_uuid(),
    user_id uuid NOT NULL,
    pattern_type text NOT NULL,
    pattern_data jsonb NOT NULL,
    confidence_score numeric(3, 2),
    sample_size integer NOT NULL,
    detected_at timestamptz NOT NULL DEFAULT now(),
    valid_until timestamptz,
    is_active boolean NOT NULL DEFAULT TRUE,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT user_behavior_patterns_pkey PRIMARY KEY (id),
    CONSTRAINT user_behavior_patterns_user_id_fkey FOREIGN KEY (user_id)
    REFERENCES auth.users (id) ON DELETE CASCADE,
    CONSTRAINT user_behavior_patterns_pattern_type_check CHECK (
        pattern_type IN (
            'peak_productivity_hours', 'task_completion_time', 'procrastination_triggers', 'energy_patterns',
            'focus_duration', 'break_frequency'
        )
    ),
    CONSTRAINT user_behavior_patterns_confidence_score_check CHECK (confidence_score BETWEEN 0 AND 1),
    CONSTRAINT user_behavior_patterns_sample_size_check CHECK (sample_size > 0),
    CONSTRAINT user_behavior_patterns_valid_until_check CHECK (valid_until > detected_at)
);
ALTER TABLE user_behavior_patterns ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON user_behavior_patterns FROM PUBLIC, anon, authenticated, service_role;

CREATE INDEX idx_behavior_patterns_user_type ON user_behavior_patterns (user_id, pattern_type, is_active);

COMMENT ON TABLE user_behavior_patterns IS 'Habits of a user, as the assistant sees them.';
COMMENT ON COLUMN user_behavior_patterns.confidence_score IS '0 to 1.';
