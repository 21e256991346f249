-- depends: 0029_effective_tier
-- Deleting a conversation hides its messages too. The lock waits for messages that are just being written, and keeps
-- others from being written until they can see that the conversation is gone.
CREATE FUNCTION hide_messages()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
BEGIN
    PERFORM FROM conversations AS c WHERE c.id = new.id FOR UPDATE;
    UPDATE messages AS m SET deleted_at = new.deleted_at WHERE m.conversation_id = new.id;
    RETURN NULL;
END;
$$;
REVOKE ALL ON FUNCTION hide_messages() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION hide_messages() IS 'Trigger: gives the messages of a conversation its deleted_at.';

CREATE TRIGGER conversations_deleted_at
BEFORE UPDATE ON conversations
FOR EACH ROW
WHEN (old.deleted_at IS DISTINCT FROM new.deleted_at)
EXECUTE FUNCTION refuse_direct_deletion(
    'conversations', 'conversations_deleted_at_check', 'soft_delete_conversation'
);

CREATE TRIGGER conversations_deleted
AFTER UPDATE ON conversations
FOR EACH ROW
WHEN (old.deleted_at IS DISTINCT FROM new.deleted_at)
EXECUTE FUNCTION hide_messages();

CREATE TRIGGER conversations_id
BEFORE INSERT ON conversations
FOR EACH ROW
WHEN (NOT platform.is_service())
EXECUTE FUNCTION assign_id('conversations');

CREATE TRIGGER conversations_immutable
BEFORE UPDATE ON conversations
FOR EACH ROW
WHEN ((old.id, old.user_id) IS DISTINCT FROM (new.id, new.user_id))
EXECUTE FUNCTION platform.refuse_change('conversations', 'conversations_immutable_check', 'id', 'user_id');

CREATE TRIGGER conversations_maintain
BEFORE INSERT OR UPDATE ON conversations
FOR EACH ROW
EXECUTE FUNCTION platform.maintain_columns('{}', '{"created_at": "now", "updated_at": "now"}');

CREATE TRIGGER update_conversations_updated_at
BEFORE UPDATE ON conversations
FOR EACH ROW
EXECUTE FUNCTION platform.update_updated_at_column();
