-- depends: 0102_areas_triggers
-- As for pillars.
CREATE TRIGGER projects_immutable
BEFORE UPDATE ON projects
FOR EACH ROW
WHEN ((old.id, old.user_id) IS DISTINCT FROM (new.id, new.user_id))
EXECUTE FUNCTION platform.refuse_change('projects', 'projects_immutable_check', 'id', 'user_id');

CREATE TRIGGER projects_maintain_insert
BEFORE INSERT ON projects
FOR EACH ROW
WHEN (new.created_at IS DISTINCT FROM now() AND NOT platform.is_service())
EXECUTE FUNCTION platform.maintain_columns('{}', '{"created_at": "now"}');

CREATE TRIGGER projects_maintain_update
BEFORE UPDATE ON projects
FOR EACH ROW
WHEN (old.created_at IS DISTINCT FROM new.created_at)
EXECUTE FUNCTION platform.maintain_columns('{}', '{"created_at": "now"}');

CREATE TRIGGER projects_updated_at
BEFORE UPDATE ON projects
FOR EACH ROW
WHEN (
    old.updated_at IS DISTINCT FROM new.updated_at
    OR (
        old.area_id, old.name, old.description, old.icon, old.deadline, old.status, old.priority, old.importance,
        old.completion_percentage, old.archived, old.sort_order, old.hrm_coherence_score,
        old.hrm_risk_assessment, old.hrm_suggested_adjustments, old.hrm_health_score, old.estimated_hours,
        old.actual_hours_spent, old.last_activity_date
    ) IS DISTINCT FROM (
        new.area_id, new.name, new.description, new.icon, new.deadline, new.status, new.priority, new.importance,
        new.completion_percentage, new.archived, new.sort_order, new.hrm_coherence_score,
        new.hrm_risk_assessment, new.hrm_suggested_adjustments, new.hrm_health_score, new.estimated_hours,
        new.actual_hours_spent, new.last_activity_date
    )
)
EXECUTE FUNCTION platform.update_updated_at_column();

CREATE TRIGGER projects_remove
AFTER DELETE ON projects
REFERENCING OLD TABLE AS old_rows
FOR EACH STATEMENT
EXECUTE FUNCTION remove_of_entity('project');

CREATE TRIGGER projects_embedding_stale
BEFORE UPDATE OF name, description ON projects
FOR EACH ROW
WHEN ((old.name, old.description) IS DISTINCT FROM (new.name, new.description))
EXECUTE FUNCTION forget_embedding_hash();

CREATE TRIGGER projects_embedding_insert
BEFORE INSERT ON projects
FOR EACH ROW
WHEN (
    NOT platform.is_service()
    AND (
        new.combined_embedding IS NOT NULL
        OR num_nonnulls(new.embedding_updated_at, new.embedding_hash, new.embedding_claimed_until) > 0
        OR new.embedding_model IS DISTINCT FROM 'text-embedding-3-small'
    )
)
EXECUTE FUNCTION platform.maintain_columns(
    '{"combined_embedding": null, "embedding_model": "text-embedding-3-small", '
    '"embedding_updated_at": null, "embedding_hash": null, "embedding_claimed_until": null}',
    '{}'
);

CREATE TRIGGER projects_embedding_keep
BEFORE UPDATE OF combined_embedding, embedding_model, embedding_updated_at, embedding_hash,
embedding_claimed_until ON projects
FOR EACH ROW
WHEN (NOT platform.is_service())
EXECUTE FUNCTION platform.maintain_columns(
    '{"combined_embedding": null, "embedding_model": "text-embedding-3-small", '
    '"embedding_updated_at": null, "embedding_hash": null, "embedding_claimed_until": null}',
    '{}'
);

CREATE TRIGGER projects_count_insert
AFTER INSERT ON projects
REFERENCING NEW TABLE AS new_rows
FOR EACH STATEMENT
EXECUTE FUNCTION count_for_user_stats('projects');

CREATE TRIGGER projects_count_update
AFTER UPDATE ON projects
REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
FOR EACH STATEMENT
EXECUTE FUNCTION count_for_user_stats('projects');

CREATE TRIGGER projects_count_delete
AFTER DELETE ON projects
REFERENCING OLD TABLE AS old_rows
FOR EACH STATEMENT
EXECUTE FUNCTION count_for_user_stats('projects');

CREATE TRIGGER projects_log
AFTER INSERT OR DELETE OR UPDATE ON projects
FOR EACH ROW
EXECUTE FUNCTION log_change('project', 'pillar_id', 'combined_embedding');
