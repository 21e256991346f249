-- depends: 0109_user_behavior_patterns_triggers
-- Not with the tables: installations that adopt the base have none of these.
COMMENT ON TABLE user_profiles IS 'What is known of a user; id is that of auth.users.';
COMMENT ON COLUMN user_profiles.total_focus_hours IS
'Maintained by refresh_user_stats(), daily: hours of focused time entries.';
COMMENT ON COLUMN user_profiles.average_daily_completion_rate IS
'Maintained by refresh_user_stats(), daily: 0 to 1, of tasks due in the last 30 days the share completed.';
COMMENT ON TABLE pillars IS 'What somebody''s life rests on.';
COMMENT ON TABLE areas IS 'Parts of a pillar, or on their own.';
COMMENT ON COLUMN areas.importance IS '1 to 5.';
COMMENT ON TABLE projects IS 'What is to be reached in an area.';
COMMENT ON COLUMN projects.status IS
'not_started, in_progress, completed, on_hold or cancelled; "Not Started" and the like are translated.';
COMMENT ON COLUMN projects.importance IS '1 to 5.';
COMMENT ON COLUMN projects.completion_percentage IS '0 to 100, as the application sees it.';
COMMENT ON TABLE tasks IS 'What is to be done in a project.';
COMMENT ON COLUMN tasks.status IS
'todo, in_progress, review, completed or cancelled; completed, completed_at and status agree, whichever is written.';
COMMENT ON COLUMN tasks.kanban_column IS 'Where the application shows it; of no consequence here.';
COMMENT ON COLUMN tasks.dependency_task_ids IS 'Tasks of the same user that come first.';
COMMENT ON COLUMN tasks.estimated_duration IS 'Minutes.';
COMMENT ON TABLE journal_entries IS 'What people write about their days.';
COMMENT ON TABLE user_stats IS 'Figures of a user, kept by the database, whatever is written.';
COMMENT ON COLUMN user_stats.total_journal_entries IS 'Not archived; so are the other totals.';
COMMENT ON COLUMN user_stats.total_ai_interactions IS 'Messages to the assistant, archived ones included.';
COMMENT ON COLUMN user_stats.insights_applied IS 'Insights accepted or modified at least once.';
COMMENT ON COLUMN user_stats.total_focus_time_minutes IS 'Of time entries of type focused.';
COMMENT ON COLUMN user_stats.average_task_completion_time IS 'Minutes; see refresh_user_stats().';
COMMENT ON COLUMN user_stats.task_estimation_accuracy IS '0 to 1; see refresh_user_stats().';
COMMENT ON COLUMN user_stats.weekly_active_days IS '0 to 7; see refresh_user_stats().';
COMMENT ON COLUMN user_stats.current_momentum_score IS '0 to 1; see refresh_user_stats().';
COMMENT ON COLUMN user_stats.ai_satisfaction_score IS '0 to 5; see refresh_user_stats().';
