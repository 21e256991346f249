-- depends: 0097_archived_conversation_memory
-- For user_stats.
CREATE TRIGGER archived_conversation_memory_count_insert
AFTER INSERT ON archived_conversation_memory
REFERENCING NEW TABLE AS new_rows
FOR EACH STATEMENT
EXECUTE FUNCTION count_for_user_stats('messages');

CREATE TRIGGER archived_conversation_memory_count_update
AFTER UPDATE ON archived_conversation_memory
REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
FOR EACH STATEMENT
EXECUTE FUNCTION count_for_user_stats('messages');

CREATE TRIGGER archived_conversation_memory_count_delete
AFTER DELETE ON archived_conversation_memory
REFERENCING OLD TABLE AS old_rows
FOR EACH STATEMENT
EXECUTE FUNCTION count_for_user_stats('messages');
