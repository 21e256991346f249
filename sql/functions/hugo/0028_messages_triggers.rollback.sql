DROP TRIGGER messages_maintain ON messages;
DROP TRIGGER messages_immutable ON messages;
DROP TRIGGER messages_fill ON messages;
DROP FUNCTION fill_message();
