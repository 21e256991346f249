-- depends: 0099_insights_count
-- For user_stats.
CREATE TRIGGER time_entries_count_insert
AFTER INSERT ON time_entries
REFERENCING NEW TABLE AS new_rows
FOR EACH STATEMENT
EXECUTE FUNCTION count_for_user_stats('time_entries');

CREATE TRIGGER time_entries_count_update
AFTER UPDATE ON time_entries
REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
FOR EACH STATEMENT
EXECUTE FUNCTION count_for_user_stats('time_entries');

CREATE TRIGGER time_entries_count_delete
AFTER DELETE ON time_entries
REFERENCING OLD TABLE AS old_rows
FOR EACH STATEMENT
EXECUTE FUNCTION count_for_user_stats('time_entries');
