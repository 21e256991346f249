-- depends: 0026_knowledge_base_is_active
-- What the database keeps, what never changes, and how a conversation ends. Its beginning, the first message, is in
-- message_counters.
CREATE FUNCTION guard_conversation_close()
RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
BEGIN
    IF tg_op = 'INSERT' AND tg_when = 'BEFORE' THEN
        -- An import: what is closed has been active, and its messages come later.
        new.activated_at := coalesce(new.activated_at, new.created_at);
        new.message_count := 0;
        RETURN new;
    ELSIF tg_op = 'INSERT' THEN
        RAISE EXCEPTION USING
            ERRCODE = 'insufficient_privilege',
            MESSAGE = 'a new conversation cannot be closed already',
            HINT = 'Insert it without closed_at; only service_role inserts closed conversations.',
            CONSTRAINT = 'conversations_insert_open_check',
            TABLE = 'conversations',
            SCHEMA = tg_table_schema;
    ELSIF old.closed_at IS NULL THEN
        -- Only service_role may say when it was; clock_timestamp() is later than created_at also within one
        -- transaction.
        IF NOT platform.is_service() THEN
            new.closed_at := clock_timestamp();
        END IF;
        RETURN new;
    ELSIF new.closed_at IS NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'check_violation',
            MESSAGE = 'a closed conversation cannot be reopened',
            HINT = 'Begin a new conversation.',
            CONSTRAINT = 'conversations_reopen_check',
            TABLE = 'conversations',
            SCHEMA = tg_table_schema;
    END IF;
    RAISE EXCEPTION USING
        ERRCODE = 'check_violation',
        MESSAGE = 'closed_at of a conversation cannot change once it is set',
        HINT = 'Send the present value, or leave the column out.',
        CONSTRAINT = 'conversations_closed_at_final_check',
        TABLE = 'conversations',
        SCHEMA = tg_table_schema;
END;
$$;
REVOKE ALL ON FUNCTION guard_conversation_close() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION guard_conversation_close() IS 'Trigger: a conversation is closed once and stays closed.';

CREATE TRIGGER conversations_close_insert
BEFORE INSERT ON conversations
FOR EACH ROW
WHEN (new.closed_at IS NOT NULL)
EXECUTE FUNCTION guard_conversation_close();

-- After the insert, which an upsert of a closed conversation that is there already never comes to.
CREATE TRIGGER conversations_insert_open_check
AFTER INSERT ON conversations
FOR EACH ROW
WHEN (new.closed_at IS NOT NULL AND NOT platform.is_service())
EXECUTE FUNCTION guard_conversation_close();

CREATE TRIGGER conversations_close_update
BEFORE UPDATE ON conversations
FOR EACH ROW
WHEN (old.closed_at IS DISTINCT FROM new.closed_at)
EXECUTE FUNCTION guard_conversation_close();

CREATE TRIGGER conversations_immutable
BEFORE UPDATE ON conversations
FOR EACH ROW
WHEN (
    (old.id, old.session_id, old.user_id, old.app_id) IS DISTINCT FROM (new.id, new.session_id, new.user_id, new.app_id)
)
EXECUTE FUNCTION platform.refuse_change(
    'conversations', 'conversations_immutable_check', 'id', 'session_id', 'user_id', 'app_id'
);

CREATE TRIGGER conversations_maintain_insert
BEFORE INSERT ON conversations
FOR EACH ROW
WHEN (new.closed_at IS NULL)
EXECUTE FUNCTION platform.maintain_columns(
    '{"message_count": 0, "activated_at": null}', '{"created_at": "now", "last_message_at": "now"}'
);

CREATE TRIGGER conversations_maintain_update
BEFORE UPDATE ON conversations
FOR EACH ROW
EXECUTE FUNCTION platform.maintain_columns(
    '{"message_count": 0, "activated_at": null}', '{"created_at": "now", "last_message_at": "now"}'
);
