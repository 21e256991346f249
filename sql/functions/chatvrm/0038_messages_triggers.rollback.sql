DROP TRIGGER messages_maintain ON messages;
DROP TRIGGER messages_immutable ON messages;
DROP TRIGGER messages_file ON messages;
DROP TRIGGER messages_file_insert ON messages;
DROP TRIGGER messages_conversation ON messages;
DROP TRIGGER messages_authority ON messages;
DROP FUNCTION check_message_audio();
DROP FUNCTION begin_conversation_earlier(uuid, timestamptz);
DROP FUNCTION check_new_message();
