-- depends: 0036_user_stats_ai
-- As for tasks.
ALTER TABLE user_stats
ADD CONSTRAINT user_stats_ai_satisfaction_score_check CHECK (ai_satisfaction_score BETWEEN 0 AND 5) NOT VALID,
ADD CONSTRAINT user_stats_task_estimation_accuracy_check CHECK (task_estimation_accuracy BETWEEN 0 AND 1) NOT VALID,
ADD CONSTRAINT user_stats_weekly_active_days_check CHECK (weekly_active_days BETWEEN 0 AND 7) NOT VALID,
ADD CONSTRAINT user_stats_current_momentum_score_check CHECK (current_momentum_score BETWEEN 0 AND 1) NOT VALID;
