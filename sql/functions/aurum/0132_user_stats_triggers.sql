-- depends: 0131_user_counters
-- Applications that counted by themselves may go on writing the row: what the database keeps stays as it keeps it.
CREATE TRIGGER user_stats_immutable
BEFORE UPDATE ON user_stats
FOR EACH ROW
WHEN ((old.id, old.user_id) IS DISTINCT FROM (new.id, new.user_id))
EXECUTE FUNCTION platform.refuse_change('user_stats', 'user_stats_immutable_check', 'id', 'user_id');

CREATE TRIGGER user_stats_maintain
BEFORE INSERT OR UPDATE ON user_stats
FOR EACH ROW
EXECUTE FUNCTION platform.maintain_columns(
    '{"total_journal_entries": 0, "total_tasks": 0, "tasks_completed": 0, "total_areas": 0, "total_projects": 0, '
    '"completed_projects": 0, "total_ai_interactions": 0, "insights_generated": 0, "insights_applied": 0, '
    '"ai_satisfaction_score": null, "total_focus_time_minutes": 0, "average_task_completion_time": null, '
    '"task_estimation_accuracy": null, "weekly_active_days": 0, "current_momentum_score": 0.5, "last_updated": "now"}',
    '{"created_at": "now"}'
);

CREATE TRIGGER user_stats_updated_at
BEFORE UPDATE ON user_stats
FOR EACH ROW
EXECUTE FUNCTION platform.update_updated_at_column();
