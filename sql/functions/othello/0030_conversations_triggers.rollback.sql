DROP TRIGGER update_conversations_updated_at ON conversations;
DROP TRIGGER conversations_maintain ON conversations;
DROP TRIGGER conversations_immutable ON conversations;
DROP TRIGGER conversations_id ON conversations;
DROP TRIGGER conversations_deleted ON conversations;
DROP TRIGGER conversations_deleted_at ON conversations;
DROP FUNCTION hide_messages();
