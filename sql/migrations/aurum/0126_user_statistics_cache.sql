-- depends: 0125_refresh_hierarchy_view
-- Written by refresh_user_statistics() and the daily job.
CREATE TABLE user_statistics_cache (
    id uuid DEFAULT gen_random_uuid(),
    user_id uuid NOT NULL,
    stat_date date NOT NULL,
    stat_type text NOT NULL,
    pillar_stats jsonb NOT NULL DEFAULT '{}',
    area_stats jsonb NOT NULL DEFAULT '{}',
    project_stats jsonb NOT NULL DEFAULT '{}',
    task_stats jsonb NOT NULL DEFAULT '{}',
    time_allocation jsonb NOT NULL DEFAULT '{}',
    productivity_metrics jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT user_statistics_cache_pkey PRIMARY KEY (id),
    CONSTRAINT unique_user_stat_date UNIQUE (user_id, stat_date, stat_type),
    CONSTRAINT user_statistics_cache_user_id_fkey FOREIGN KEY (user_id)
    REFERENCES auth.users (id) ON DELETE CASCADE,
    CONSTRAINT user_statistics_cache_stat_type_check CHECK (stat_type IN ('daily', 'weekly', 'monthly')),
    CONSTRAINT user_statistics_cache_objects_check CHECK (
        jsonb_typeof(pillar_stats) = 'object'
        AND jsonb_typeof(area_stats) = 'object'
        AND jsonb_typeof(project_stats) = 'object'
        AND jsonb_typeof(task_stats) = 'object'
        AND jsonb_typeof(time_allocation) = 'object'
        AND jsonb_typeof(productivity_metrics) = 'object'
    )
);
ALTER TABLE user_statistics_cache ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON user_statistics_cache FROM PUBLIC, anon, authenticated, service_role;

CREATE INDEX idx_stats_cache_user_date ON user_statistics_cache (user_id, stat_date DESC, stat_type);
-- How fresh the cache is, and what the daily job has yet to do.
CREATE INDEX user_statistics_cache_stat_date_idx ON user_statistics_cache (stat_date, stat_type);

COMMENT ON TABLE user_statistics_cache IS 'Figures of a user for a day, a week or a month, as of updated_at.';
COMMENT ON COLUMN user_statistics_cache.stat_date IS 'The first day of the period, in the user''s time zone.';
COMMENT ON COLUMN user_statistics_cache.pillar_stats IS
'By id: name, areas, projects, tasks, open, completed, completed_in_period, minutes.';
COMMENT ON COLUMN user_statistics_cache.area_stats IS
'By id: name, projects, tasks, open, completed, completed_in_period, minutes.';
COMMENT ON COLUMN user_statistics_cache.project_stats IS
'By id: name, status, tasks, open, completed, completed_in_period, minutes.';
COMMENT ON COLUMN user_statistics_cache.task_stats IS
'total, open, completed, overdue; created and completed_in_period; by_status and by_priority.';
COMMENT ON COLUMN user_statistics_cache.time_allocation IS
'Minutes of time entries that began in the period: total, by_pillar (by id, "none" without one), by_activity.';
COMMENT ON COLUMN user_statistics_cache.productivity_metrics IS
'completion_rate and on_time_rate (0 to 1, null without tasks), focus_minutes, average_energy, average_productivity, '
'journal_entries, reflections.';
