-- depends: 0035_user_profiles_timezone_idx
-- As for tasks.
ALTER TABLE user_stats
ADD COLUMN total_ai_interactions integer NOT NULL DEFAULT 0,
ADD COLUMN insights_generated integer NOT NULL DEFAULT 0,
ADD COLUMN insights_applied integer NOT NULL DEFAULT 0,
ADD COLUMN ai_satisfaction_score numeric(3, 2),
ADD COLUMN total_focus_time_minutes integer NOT NULL DEFAULT 0,
ADD COLUMN average_task_completion_time integer,
ADD COLUMN task_estimation_accuracy numeric(3, 2),
ADD COLUMN weekly_active_days integer NOT NULL DEFAULT 0,
ADD COLUMN current_momentum_score numeric(3, 2) NOT NULL DEFAULT 0.5,
ADD COLUMN updated_at timestamptz NOT NULL DEFAULT now();
