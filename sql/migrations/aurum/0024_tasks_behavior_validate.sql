-- depends: 0023_tasks_behavior_checks
-- Old rows are looked at while everybody reads and writes.
ALTER TABLE tasks
VALIDATE CONSTRAINT tasks_behavior_check,
VALIDATE CONSTRAINT tasks_actual_time_check,
VALIDATE CONSTRAINT tasks_energy_level_at_start_check,
VALIDATE CONSTRAINT tasks_energy_level_at_completion_check;
