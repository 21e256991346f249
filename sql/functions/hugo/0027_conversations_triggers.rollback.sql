DROP TRIGGER conversations_a_maintain ON conversations;
DROP TRIGGER conversations_immutable ON conversations;
DROP TRIGGER conversations_close_update ON conversations;
DROP TRIGGER conversations_close_insert ON conversations;
DROP FUNCTION guard_conversation_close();
