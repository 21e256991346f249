-- depends: 0100_time_entries_count
-- Backfills are through: from here on updated_at moves, but not with what the database keeps by itself. All triggers of
-- a table in one file: it is locked once.
CREATE TRIGGER pillars_immutable
BEFORE UPDATE ON pillars
FOR EACH ROW
WHEN ((old.id, old.user_id) IS DISTINCT FROM (new.id, new.user_id))
EXECUTE FUNCTION platform.refuse_change('pillars', 'pillars_immutable_check', 'id', 'user_id');

CREATE TRIGGER pillars_maintain_insert
BEFORE INSERT ON pillars
FOR EACH ROW
WHEN (new.created_at IS DISTINCT FROM now() AND NOT platform.is_service())
EXECUTE FUNCTION platform.maintain_columns('{}', '{"created_at": "now"}');

CREATE TRIGGER pillars_maintain_update
BEFORE UPDATE ON pillars
FOR EACH ROW
WHEN (old.created_at IS DISTINCT FROM new.created_at)
EXECUTE FUNCTION platform.maintain_columns('{}', '{"created_at": "now"}');

CREATE TRIGGER pillars_updated_at
BEFORE UPDATE ON pillars
FOR EACH ROW
WHEN (
    old.updated_at IS DISTINCT FROM new.updated_at
    OR (
        old.name, old.description, old.icon, old.color, old.sort_order, old.archived,
        old.time_allocation_percentage
    ) IS DISTINCT FROM (
        new.name, new.description, new.icon, new.color, new.sort_order, new.archived,
        new.time_allocation_percentage
    )
)
EXECUTE FUNCTION platform.update_updated_at_column();

CREATE TRIGGER pillars_remove
AFTER DELETE ON pillars
REFERENCING OLD TABLE AS old_rows
FOR EACH STATEMENT
EXECUTE FUNCTION remove_of_entity('pillar');

CREATE TRIGGER pillars_log
AFTER INSERT OR DELETE OR UPDATE ON pillars
FOR EACH ROW
EXECUTE FUNCTION log_change('pillar');
