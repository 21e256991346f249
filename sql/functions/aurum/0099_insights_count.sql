-- depends: 0098_archived_conversation_memory_count
-- For user_stats.
CREATE TRIGGER insights_count_insert
AFTER INSERT ON insights
REFERENCING NEW TABLE AS new_rows
FOR EACH STATEMENT
EXECUTE FUNCTION count_for_user_stats('insights');

CREATE TRIGGER insights_count_update
AFTER UPDATE ON insights
REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
FOR EACH STATEMENT
EXECUTE FUNCTION count_for_user_stats('insights');

CREATE TRIGGER insights_count_delete
AFTER DELETE ON insights
REFERENCING OLD TABLE AS old_rows
FOR EACH STATEMENT
EXECUTE FUNCTION count_for_user_stats('insights');
