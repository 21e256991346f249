DROP TRIGGER archived_conversations_messages ON archived_conversations;
DROP FUNCTION hand_over_archived_messages();
