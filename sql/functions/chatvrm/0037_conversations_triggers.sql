-- depends: 0036_voice_configs_triggers
-- The states of a conversation, and with whom one may talk: a published character, or one's own.
CREATE FUNCTION stamp_conversation()
RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
BEGIN
    IF tg_op = 'UPDATE' AND old.status <> 'active' THEN
        new.ended_at := old.ended_at;
    ELSIF new.status = 'active' THEN
        new.ended_at := NULL;
    ELSIF new.ended_at IS NULL OR NOT platform.is_service() THEN
        -- Services import: messages first, which need an active conversation, then the end. Never before its start,
        -- should the server's clock have been set back.
        new.ended_at := greatest(clock_timestamp(), new.started_at);
    END IF;
    RETURN new;
END;
$$;
REVOKE ALL ON FUNCTION stamp_conversation() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION stamp_conversation() IS 'Trigger: ended_at is when a conversation leaves active.';

-- A definer function: published characters of others are not shown by row-level security. To users a draft of another
-- is like a missing character. What is over, as services import it, may have been with a character that was published
-- then.
CREATE FUNCTION check_new_conversation()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
DECLARE
    v_status text;
    v_owner uuid;
BEGIN
    IF new.user_id IS NULL AND new.session_id IS NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'check_violation',
            MESSAGE = 'a conversation needs a user or the session of a visitor',
            HINT = 'Send session_id for a visitor without an account.',
            CONSTRAINT = 'conversations_session_id_check',
            TABLE = 'conversations',
            SCHEMA = tg_table_schema;
    END IF;
    SELECT c.status::text, c.user_id INTO v_status, v_owner FROM characters AS c WHERE c.id = new.character_id;
    IF v_status = 'published' OR v_owner = new.user_id THEN
        RETURN NULL;
    ELSIF NOT platform.is_service() THEN
        RAISE EXCEPTION USING
            ERRCODE = 'foreign_key_violation',
            MESSAGE = 'insert or update on table "conversations" violates foreign key constraint '
                '"conversations_character_id_fkey"',
            DETAIL = 'Key is not present in table "characters".',
            CONSTRAINT = 'conversations_character_id_fkey',
            TABLE = 'conversations',
            SCHEMA = tg_table_schema;
    ELSIF v_owner IS NOT NULL AND new.status = 'active' THEN
        RAISE EXCEPTION USING
            ERRCODE = 'check_violation',
            MESSAGE = format('character %s is not published', new.character_id),
            HINT = 'Nobody but its owner talks with a character that is not published.',
            CONSTRAINT = 'conversations_character_check',
            TABLE = 'conversations',
            SCHEMA = tg_table_schema;
    END IF;
    RETURN NULL;
END;
$$;
REVOKE ALL ON FUNCTION check_new_conversation() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION check_new_conversation() IS
'Trigger: a conversation is with a published character or one''s own, and of a user or a visitor''s session.';

-- messages.user_id, also where a user is deleted, or a visitor signs in and a service says who it was. A definer
-- function, since nobody else may write it.
CREATE FUNCTION hand_over_messages()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
BEGIN
    -- A user goes together with characters of theirs: then it is gone, and its messages are about to follow.
    IF NOT EXISTS (SELECT 1 FROM conversations AS c WHERE c.id = new.id) THEN
        RETURN NULL;
    END IF;
    UPDATE audio_files AS f
    SET user_id = new.user_id
    FROM messages AS m
    WHERE m.conversation_id = new.id AND m.audio_file_id = f.id AND f.user_id IS DISTINCT FROM new.user_id;
    UPDATE messages AS m SET user_id = new.user_id WHERE m.conversation_id = new.id;
    RETURN NULL;
END;
$$;
REVOKE ALL ON FUNCTION hand_over_messages() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION hand_over_messages() IS 'Trigger: messages and their audio belong to the user of the conversation.';

CREATE TRIGGER conversations_authority
BEFORE UPDATE ON conversations
FOR EACH ROW
WHEN (old.user_id IS NOT NULL AND new.user_id IS NOT NULL AND old.user_id <> new.user_id)
EXECUTE FUNCTION platform.refuse_change('conversations', 'conversations_user_check', 'user_id');

-- Its name comes before that of the foreign key's own trigger (RI_…): what an error says of where it comes from is the
-- same for a draft of another and a missing character.
CREATE TRIGGER "A_conversations_check"
AFTER INSERT ON conversations
FOR EACH ROW
EXECUTE FUNCTION check_new_conversation();

CREATE TRIGGER conversations_immutable
BEFORE UPDATE ON conversations
FOR EACH ROW
WHEN ((old.id, old.character_id) IS DISTINCT FROM (new.id, new.character_id))
EXECUTE FUNCTION platform.refuse_change('conversations', 'conversations_immutable_check', 'id', 'character_id');

CREATE TRIGGER conversations_maintain
BEFORE INSERT OR UPDATE ON conversations
FOR EACH ROW
EXECUTE FUNCTION platform.maintain_columns('{"message_count": 0}', '{"started_at": "now"}');

CREATE TRIGGER conversations_messages
AFTER UPDATE ON conversations
FOR EACH ROW
WHEN (old.user_id IS DISTINCT FROM new.user_id)
EXECUTE FUNCTION hand_over_messages();

CREATE TRIGGER conversations_status
BEFORE UPDATE ON conversations
FOR EACH ROW
WHEN (old.status IS DISTINCT FROM new.status)
EXECUTE FUNCTION platform.guard_state(
    'conversations', 'conversations_status_transition_check', 'status', 'active',
    'active>ended', 'ended>archived', 'active>archived'
);

-- After the insert, which an upsert of a conversation that is there already never comes to.
CREATE TRIGGER conversations_status_insert
AFTER INSERT ON conversations
FOR EACH ROW
WHEN (new.status <> 'active')
EXECUTE FUNCTION platform.guard_state('conversations', 'conversations_status_transition_check', 'status', 'active');

-- Its name comes after that of the state machine.
CREATE TRIGGER conversations_times
BEFORE INSERT OR UPDATE ON conversations
FOR EACH ROW
EXECUTE FUNCTION stamp_conversation();
