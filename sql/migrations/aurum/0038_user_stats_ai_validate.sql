-- depends: 0037_user_stats_ai_checks
-- Old rows are looked at while everybody reads and writes.
ALTER TABLE user_stats
VALIDATE CONSTRAINT user_stats_ai_satisfaction_score_check,
VALIDATE CONSTRAINT user_stats_task_estimation_accuracy_check,
VALIDATE CONSTRAINT user_stats_weekly_active_days_check,
VALIDATE CONSTRAINT user_stats_current_momentum_score_check;
