-- depends: 0101_pillars_triggers
-- As for pillars.
CREATE TRIGGER areas_immutable
BEFORE UPDATE ON areas
FOR EACH ROW
WHEN ((old.id, old.user_id) IS DISTINCT FROM (new.id, new.user_id))
EXECUTE FUNCTION platform.refuse_change('areas', 'areas_immutable_check', 'id', 'user_id');

CREATE TRIGGER areas_maintain_insert
BEFORE INSERT ON areas
FOR EACH ROW
WHEN (new.created_at IS DISTINCT FROM now() AND NOT platform.is_service())
EXECUTE FUNCTION platform.maintain_columns('{}', '{"created_at": "now"}');

CREATE TRIGGER areas_maintain_update
BEFORE UPDATE ON areas
FOR EACH ROW
WHEN (old.created_at IS DISTINCT FROM new.created_at)
EXECUTE FUNCTION platform.maintain_columns('{}', '{"created_at": "now"}');

CREATE TRIGGER areas_updated_at
BEFORE UPDATE ON areas
FOR EACH ROW
WHEN (
    old.updated_at IS DISTINCT FROM new.updated_at
    OR (
        old.pillar_id, old.name, old.description, old.icon, old.color, old.importance, old.archived,
        old.sort_order
    ) IS DISTINCT FROM (
        new.pillar_id, new.name, new.description, new.icon, new.color, new.importance, new.archived,
        new.sort_order
    )
)
EXECUTE FUNCTION platform.update_updated_at_column();

CREATE TRIGGER areas_remove
AFTER DELETE ON areas
REFERENCING OLD TABLE AS old_rows
FOR EACH STATEMENT
EXECUTE FUNCTION remove_of_entity('area');

CREATE TRIGGER areas_count_insert
AFTER INSERT ON areas
REFERENCING NEW TABLE AS new_rows
FOR EACH STATEMENT
EXECUTE FUNCTION count_for_user_stats('areas');

CREATE TRIGGER areas_count_update
AFTER UPDATE ON areas
REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
FOR EACH STATEMENT
EXECUTE FUNCTION count_for_user_stats('areas');

CREATE TRIGGER areas_count_delete
AFTER DELETE ON areas
REFERENCING OLD TABLE AS old_rows
FOR EACH STATEMENT
EXECUTE FUNCTION count_for_user_stats('areas');

CREATE TRIGGER areas_log
AFTER INSERT OR DELETE OR UPDATE ON areas
FOR EACH ROW
EXECUTE FUNCTION log_change('area');
