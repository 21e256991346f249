-- depends: 0021_projects_ai_validate
-- Phase 2, behavior tracking, begins here.
ALTER TABLE tasks
ADD COLUMN actual_duration integer,
ADD COLUMN actual_start_time timestamptz,
ADD COLUMN actual_end_time timestamptz,
ADD COLUMN focus_time_minutes integer DEFAULT 0,
ADD COLUMN interruption_count integer DEFAULT 0,
ADD COLUMN context_switches integer DEFAULT 0,
ADD COLUMN energy_level_at_start text,
ADD COLUMN energy_level_at_completion text;

COMMENT ON COLUMN tasks.actual_duration IS 'Minutes.';
COMMENT ON COLUMN tasks.energy_level_at_start IS 'very_low, low, moderate, high or very_high.';
COMMENT ON COLUMN tasks.energy_level_at_completion IS 'very_low, low, moderate, high or very_high.';
