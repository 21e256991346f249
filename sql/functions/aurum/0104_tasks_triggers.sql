-- depends: 0103_projects_triggers
-- As for pillars.
CREATE TRIGGER tasks_immutable
BEFORE UPDATE ON tasks
FOR EACH ROW
WHEN ((old.id, old.user_id) IS DISTINCT FROM (new.id, new.user_id))
EXECUTE FUNCTION platform.refuse_change('tasks', 'tasks_immutable_check', 'id', 'user_id');

CREATE TRIGGER tasks_maintain_insert
BEFORE INSERT ON tasks
FOR EACH ROW
WHEN (new.created_at IS DISTINCT FROM now() AND NOT platform.is_service())
EXECUTE FUNCTION platform.maintain_columns('{}', '{"created_at": "now"}');

CREATE TRIGGER tasks_maintain_update
BEFORE UPDATE ON tasks
FOR EACH ROW
WHEN (old.created_at IS DISTINCT FROM new.created_at)
EXECUTE FUNCTION platform.maintain_columns('{}', '{"created_at": "now"}');

CREATE TRIGGER tasks_updated_at
BEFORE UPDATE ON tasks
FOR EACH ROW
WHEN (
    old.updated_at IS DISTINCT FROM new.updated_at
    OR (
        old.project_id, old.parent_task_id, old.name, old.description, old.status, old.priority, old.due_date,
        old.completed, old.completed_at, old.dependency_task_ids, old.kanban_column, old.sort_order,
        old.estimated_duration, old.archived, old.hrm_priority_score, old.hrm_alignment_score,
        old.hrm_reasoning_summary, old.hrm_last_analyzed, old.ai_suggested_timeblock, old.obstacle_risk,
        old.actual_duration, old.actual_start_time, old.actual_end_time, old.focus_time_minutes,
        old.interruption_count, old.context_switches, old.energy_level_at_start, old.energy_level_at_completion
    ) IS DISTINCT FROM (
        new.project_id, new.parent_task_id, new.name, new.description, new.status, new.priority, new.due_date,
        new.completed, new.completed_at, new.dependency_task_ids, new.kanban_column, new.sort_order,
        new.estimated_duration, new.archived, new.hrm_priority_score, new.hrm_alignment_score,
        new.hrm_reasoning_summary, new.hrm_last_analyzed, new.ai_suggested_timeblock, new.obstacle_risk,
        new.actual_duration, new.actual_start_time, new.actual_end_time, new.focus_time_minutes,
        new.interruption_count, new.context_switches, new.energy_level_at_start, new.energy_level_at_completion
    )
)
EXECUTE FUNCTION platform.update_updated_at_column();

CREATE TRIGGER tasks_remove
AFTER DELETE ON tasks
REFERENCING OLD TABLE AS old_rows
FOR EACH STATEMENT
EXECUTE FUNCTION remove_of_entity('task');

CREATE TRIGGER tasks_embedding_stale
BEFORE UPDATE OF name, description ON tasks
FOR EACH ROW
WHEN ((old.name, old.description) IS DISTINCT FROM (new.name, new.description))
EXECUTE FUNCTION forget_embedding_hash();

CREATE TRIGGER tasks_embedding_insert
BEFORE INSERT ON tasks
FOR EACH ROW
WHEN (
    NOT platform.is_service()
    AND (
        new.description_embedding IS NOT NULL
        OR new.name_embedding IS NOT NULL
        OR num_nonnulls(new.embedding_updated_at, new.embedding_hash, new.embedding_claimed_until) > 0
        OR new.embedding_model IS DISTINCT FROM 'text-embedding-3-small'
    )
)
EXECUTE FUNCTION platform.maintain_columns(
    '{"description_embedding": null, "name_embedding": null, '
    '"embedding_model": "text-embedding-3-small", "embedding_updated_at": null, "embedding_hash": null, '
    '"embedding_claimed_until": null}',
    '{}'
);

CREATE TRIGGER tasks_embedding_keep
BEFORE UPDATE OF description_embedding, name_embedding, embedding_model, embedding_updated_at, embedding_hash,
embedding_claimed_until ON tasks
FOR EACH ROW
WHEN (NOT platform.is_service())
EXECUTE FUNCTION platform.maintain_columns(
    '{"description_embedding": null, "name_embedding": null, '
    '"embedding_model": "text-embedding-3-small", "embedding_updated_at": null, "embedding_hash": null, '
    '"embedding_claimed_until": null}',
    '{}'
);

CREATE TRIGGER tasks_count_insert
AFTER INSERT ON tasks
REFERENCING NEW TABLE AS new_rows
FOR EACH STATEMENT
EXECUTE FUNCTION count_for_user_stats('tasks');

CREATE TRIGGER tasks_count_update
AFTER UPDATE ON tasks
REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
FOR EACH STATEMENT
EXECUTE FUNCTION count_for_user_stats('tasks');

CREATE TRIGGER tasks_count_delete
AFTER DELETE ON tasks
REFERENCING OLD TABLE AS old_rows
FOR EACH STATEMENT
EXECUTE FUNCTION count_for_user_stats('tasks');

CREATE TRIGGER tasks_log
AFTER INSERT OR DELETE OR UPDATE ON tasks
FOR EACH ROW
EXECUTE FUNCTION log_change(
    'task', 'area_id', 'pillar_id', 'description_embedding', 'name_embedding'
);
