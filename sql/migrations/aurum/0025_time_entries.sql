-- depends: 0024_tasks_behavior_validate
-- What time was spent on. entity_id has no one table to refer to: triggers see that it exists and is the user's, and
-- remove the entry with it.
CREATE TABLE time_entries (
    id uuid DEFAULT gen_random_uuid(),
    user_id uuid NOT NULL,
    entity_type text NOT NULL,
    entity_id uuid NOT NULL,
    start_time timestamptz NOT NULL,
    end_time timestamptz,
    -- It is computed before the CHECK refuses what has no length.
    duration_minutes integer GENERATED ALWAYS AS (
        CASE WHEN isfinite(start_time) AND isfinite(end_time) THEN extract(EPOCH FROM end_time - start_time) / 60 END
    ) STORED,
    is_active boolean NOT NULL DEFAULT TRUE,
    activity_type text,
    energy_level integer,
    productivity_rating integer,
    notes text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT time_entries_pkey PRIMARY KEY (id),
    CONSTRAINT time_entries_user_id_fkey FOREIGN KEY (user_id) REFERENCES auth.users (id) ON DELETE CASCADE,
    CONSTRAINT time_entries_entity_type_check CHECK (entity_type IN ('task', 'project', 'area', 'pillar')),
    CONSTRAINT time_entries_end_time_check CHECK (
        isfinite(start_time) AND end_time > start_time AND isfinite(end_time)
    ),
    CONSTRAINT time_entries_is_active_check CHECK (is_active = (end_time IS NULL)),
    CONSTRAINT time_entries_activity_type_check CHECK (
        activity_type IN ('focused', 'collaborative', 'meeting', 'break', 'planning')
    ),
    CONSTRAINT time_entries_energy_level_check CHECK (energy_level BETWEEN 1 AND 10),
    CONSTRAINT time_entries_productivity_rating_check CHECK (productivity_rating BETWEEN 1 AND 10)
);
ALTER TABLE time_entries ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON time_entries FROM PUBLIC, anon, authenticated, service_role;

CREATE INDEX idx_time_entries_user_date ON time_entries (user_id, start_time DESC);
CREATE INDEX idx_time_entries_active ON time_entries (user_id, is_active) WHERE is_active = TRUE;
CREATE INDEX idx_time_entries_entity ON time_entries (entity_type, entity_id);

COMMENT ON TABLE time_entries IS 'Time spent on a task, project, area or pillar.';
COMMENT ON COLUMN time_entries.entity_id IS 'A row of the same user in the table that entity_type names.';
COMMENT ON COLUMN time_entries.duration_minutes IS 'Computed by the database.';
COMMENT ON COLUMN time_entries.is_active IS 'Maintained by the database: true while there is no end.';
