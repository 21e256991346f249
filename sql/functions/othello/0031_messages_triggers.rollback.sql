DROP TRIGGER update_messages_updated_at ON messages;
DROP TRIGGER messages_maintain ON messages;
DROP TRIGGER messages_immutable ON messages;
DROP TRIGGER messages_conversation ON messages;
DROP TRIGGER messages_id ON messages;
DROP TRIGGER messages_fill ON messages;
DROP FUNCTION refuse_deleted_conversation();
DROP FUNCTION fill_message();
