DROP TRIGGER messages_count_delete ON messages;
DROP TRIGGER messages_count_insert ON messages;
DROP FUNCTION count_deleted_messages();
DROP FUNCTION count_new_messages();
