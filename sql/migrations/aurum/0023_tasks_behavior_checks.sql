-- depends: 0022_tasks_behavior
-- As in phase 1.
ALTER TABLE tasks
ADD CONSTRAINT tasks_behavior_check CHECK (
    actual_duration >= 0 AND focus_time_minutes >= 0 AND interruption_count >= 0 AND context_switches >= 0
) NOT VALID,
ADD CONSTRAINT tasks_actual_time_check CHECK (actual_end_time >= actual_start_time) NOT VALID,
ADD CONSTRAINT tasks_energy_level_at_start_check CHECK (
    energy_level_at_start IN ('very_low', 'low', 'moderate', 'high', 'very_high')
) NOT VALID,
ADD CONSTRAINT tasks_energy_level_at_completion_check CHECK (
    energy_level_at_completion IN ('very_low', 'low', 'moderate', 'high', 'very_high')
) NOT VALID;
