DROP TRIGGER scheduled_messages_times ON scheduled_messages;
DROP TRIGGER scheduled_messages_status ON scheduled_messages;
DROP TRIGGER scheduled_messages_immutable ON scheduled_messages;
DROP TRIGGER scheduled_messages_owner ON scheduled_messages;
DROP FUNCTION stamp_scheduled_message();
