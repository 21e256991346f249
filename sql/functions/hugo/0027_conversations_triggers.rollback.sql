DROP TRIGGER conversations_maintain_update ON conversations;
DROP TRIGGER conversations_maintain_insert ON conversations;
DROP TRIGGER conversations_immutable ON conversations;
DROP TRIGGER conversations_close_update ON conversations;
DROP TRIGGER conversations_insert_open_check ON conversations;
DROP TRIGGER conversations_close_insert ON conversations;
DROP FUNCTION guard_conversation_close();
