-- depends: 0030_conversations_triggers
-- A message belongs to the owner of its conversation and comes into no deleted one, which looks like a missing one.
CREATE FUNCTION fill_message()
RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
BEGIN
    IF new.user_id IS NULL THEN
        -- With the caller's rights. What they may not see stays null here as a missing one does.
        SELECT c.user_id INTO new.user_id FROM conversations AS c WHERE c.id = new.conversation_id;
        IF NOT found THEN
            RAISE EXCEPTION USING
                ERRCODE = 'foreign_key_violation',
                MESSAGE = 'insert or update on table "messages" violates foreign key constraint "messages_conversation_id_fkey"',
                DETAIL = 'Key is not present in table "conversations".',
                HINT = 'Create the conversation first.',
                CONSTRAINT = 'messages_conversation_id_fkey',
                TABLE = 'messages',
                SCHEMA = tg_table_schema;
        END IF;
    END IF;
    IF NOT platform.is_service() THEN
        new.created_at := now();
        new.updated_at := now();
    END IF;
    RETURN new;
END;
$$;
REVOKE ALL ON FUNCTION fill_message() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION fill_message() IS 'Trigger: gives a new message the owner of its conversation and its time.';

-- After the foreign key has locked the conversations: what is deleted by then is seen here, what is not cannot be
-- deleted before this message is there to be hidden.
CREATE FUNCTION refuse_deleted_conversation()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
DECLARE
    v_ids CONSTANT bigint[] := ARRAY(SELECT DISTINCT n.conversation_id FROM new_rows AS n);
BEGIN
    PERFORM FROM conversations AS c WHERE c.id = ANY(v_ids) AND c.deleted_at IS NOT NULL LIMIT 1;
    IF found THEN
        RAISE EXCEPTION USING
            ERRCODE = 'foreign_key_violation',
            MESSAGE = 'insert or update on table "messages" violates foreign key constraint "messages_conversation_id_fkey"',
            DETAIL = 'Key is not present in table "conversations".',
            CONSTRAINT = 'messages_conversation_id_fkey',
            TABLE = 'messages',
            SCHEMA = tg_table_schema;
    END IF;
    RETURN NULL;
END;
$$;
REVOKE ALL ON FUNCTION refuse_deleted_conversation() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION refuse_deleted_conversation() IS
'Trigger: refuses new messages in a deleted conversation, as in a missing one.';

CREATE TRIGGER messages_fill
BEFORE INSERT ON messages
FOR EACH ROW
WHEN (new.user_id IS NULL OR NOT platform.is_service())
EXECUTE FUNCTION fill_message();

CREATE TRIGGER messages_id
BEFORE INSERT ON messages
FOR EACH ROW
WHEN (NOT platform.is_service())
EXECUTE FUNCTION assign_id('messages');

CREATE TRIGGER messages_conversation
AFTER INSERT ON messages
REFERENCING NEW TABLE AS new_rows
FOR EACH STATEMENT
EXECUTE FUNCTION refuse_deleted_conversation();

CREATE TRIGGER messages_immutable
BEFORE UPDATE ON messages
FOR EACH ROW
WHEN (
    (old.id, old.conversation_id, old.user_id) IS DISTINCT FROM (new.id, new.conversation_id, new.user_id)
)
EXECUTE FUNCTION platform.refuse_change(
    'messages', 'messages_immutable_check', 'id', 'conversation_id', 'user_id'
);

CREATE TRIGGER messages_maintain
BEFORE UPDATE ON messages
FOR EACH ROW
EXECUTE FUNCTION platform.maintain_columns('{"deleted_at": null}', '{"created_at": "now"}');

CREATE TRIGGER update_messages_updated_at
BEFORE UPDATE ON messages
FOR EACH ROW
EXECUTE FUNCTION platform.update_updated_at_column();
