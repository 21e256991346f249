DROP TRIGGER messages_count_delete ON messages;
DROP TRIGGER messages_count_insert ON messages;
DROP FUNCTION count_messages();
