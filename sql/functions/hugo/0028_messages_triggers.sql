-- depends: 0027_conversations_triggers
-- A message takes owner and app from its conversation, which is looked up with the caller's rights: one that the
-- caller may not see is reported exactly like one that does not exist.
CREATE FUNCTION fill_message()
RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
BEGIN
    IF new.user_id IS NULL OR new.app_id IS NULL THEN
        SELECT c.user_id, c.app_id INTO new.user_id, new.app_id
        FROM conversations AS c
        WHERE c.id = new.conversation_id;
        IF NOT found THEN
            RAISE EXCEPTION USING
                ERRCODE = 'foreign_key_violation',
                MESSAGE = 'insert or update on table "messages" violates foreign key constraint "messages_conversation_id_fkey"',
                DETAIL = format('Key (conversation_id)=(%s) is not present in table "conversations".', new.conversation_id),
                HINT = 'Create the conversation first.',
                CONSTRAINT = 'messages_conversation_id_fkey',
                TABLE = 'messages',
                SCHEMA = tg_table_schema;
        END IF;
    END IF;
    IF NOT platform.is_service() THEN
        new.created_at := clock_timestamp();
    END IF;
    RETURN new;
END;
$$;
REVOKE ALL ON FUNCTION fill_message() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION fill_message() IS 'Trigger: gives a new message the owner and the app of its conversation.';

-- A bulk load that names owner and app itself is spared the call; the foreign key checks it all the same.
CREATE TRIGGER messages_fill
BEFORE INSERT ON messages
FOR EACH ROW
WHEN (new.user_id IS NULL OR new.app_id IS NULL OR NOT platform.is_service())
EXECUTE FUNCTION fill_message();

CREATE TRIGGER messages_immutable
BEFORE UPDATE ON messages
FOR EACH ROW
WHEN (
    (old.id, old.conversation_id, old.user_id, old.app_id)
    IS DISTINCT FROM (new.id, new.conversation_id, new.user_id, new.app_id)
)
EXECUTE FUNCTION platform.refuse_change(
    'messages', 'messages_immutable_check', 'id', 'conversation_id', 'user_id', 'app_id'
);

CREATE TRIGGER messages_maintain
BEFORE UPDATE ON messages
FOR EACH ROW
EXECUTE FUNCTION platform.maintain_columns('{}', '{"created_at": "now"}');
