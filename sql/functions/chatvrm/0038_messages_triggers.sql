-- depends: 0037_conversations_triggers
-- A message belongs to the user of its conversation, which must be active. The conversation is looked up with the
-- caller's rights: another's is like a missing one. The lock makes who ends the conversation wait for the message, and
-- the message for who ends it.
CREATE FUNCTION check_new_message()
RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
DECLARE
    v_status text;
    v_started_at timestamptz;
BEGIN
    SELECT c.user_id, c.status::text, c.started_at
    INTO new.user_id, v_status, v_started_at
    FROM conversations AS c
    WHERE c.id = new.conversation_id
    FOR SHARE;
    IF NOT found THEN
        RAISE EXCEPTION USING
            ERRCODE = 'foreign_key_violation',
            MESSAGE =
                'insert or update on table "messages" violates foreign key constraint "messages_conversation_id_fkey"',
            DETAIL = 'Key is not present in table "conversations".',
            CONSTRAINT = 'messages_conversation_id_fkey',
            TABLE = 'messages',
            SCHEMA = tg_table_schema;
    ELSIF v_status <> 'active' THEN
        RAISE EXCEPTION USING
            ERRCODE = 'check_violation',
            MESSAGE = format('conversation %s is %s', new.conversation_id, v_status),
            HINT = 'Begin a new conversation.',
            CONSTRAINT = 'messages_conversation_active_check',
            TABLE = 'messages',
            SCHEMA = tg_table_schema;
    ELSIF new.created_at < v_started_at THEN
        -- Imports, and services whose clock is behind: get_conversation_messages() reads no partition from before.
        PERFORM begin_conversation_earlier(new.conversation_id, new.created_at);
    END IF;
    RETURN new;
END;
$$;
REVOKE ALL ON FUNCTION check_new_message() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION check_new_message() IS
'Trigger: a message goes into an active conversation of the caller and belongs to its user.';

-- Nobody else may write started_at. A message of a user's is of now: called by themselves it dates nothing back, which
-- would stand in the analytics of somebody else's character.
CREATE FUNCTION begin_conversation_earlier(p_id uuid, p_started_at timestamptz)
RETURNS void
LANGUAGE sql
VOLATILE SECURITY DEFINER
SET search_path FROM CURRENT
BEGIN ATOMIC
    UPDATE conversations AS c
    SET
        started_at = least(
            c.started_at, -- noqa: RF03
            CASE WHEN platform.is_service() THEN p_started_at ELSE greatest(p_started_at, now()) END -- noqa: RF03
        )
    WHERE c.id = p_id AND (c.user_id = current_user_id() OR platform.is_service()); -- noqa: RF03
END;
REVOKE ALL ON FUNCTION begin_conversation_earlier(uuid, timestamptz) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION begin_conversation_earlier(uuid, timestamptz) IS
'Moves the beginning of a conversation back to that of a message; for the trigger of messages.';

-- A file is of one user. To users one that is not theirs is like a missing one; a service's new one becomes theirs.
CREATE FUNCTION check_message_audio()
RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
DECLARE
    v_user uuid;
BEGIN
    SELECT f.user_id INTO v_user FROM audio_files AS f WHERE f.id = new.audio_file_id;
    IF NOT found THEN
        RAISE EXCEPTION USING
            ERRCODE = 'foreign_key_violation',
            MESSAGE =
                'insert or update on table "messages" violates foreign key constraint "messages_audio_file_id_fkey"',
            DETAIL = 'Key is not present in table "audio_files".',
            CONSTRAINT = 'messages_audio_file_id_fkey',
            TABLE = 'messages',
            SCHEMA = tg_table_schema;
    ELSIF v_user IS NULL AND new.user_id IS NOT NULL THEN
        -- By a service: users see files of their own only. Meanwhile it may have become another's.
        UPDATE audio_files AS f
        SET user_id = new.user_id
        WHERE f.id = new.audio_file_id AND coalesce(f.user_id = new.user_id, TRUE)
        RETURNING f.user_id INTO v_user;
    END IF;
    IF v_user IS DISTINCT FROM new.user_id THEN
        RAISE EXCEPTION USING
            ERRCODE = 'check_violation',
            MESSAGE = format('audio file %s is of another user', new.audio_file_id),
            HINT = 'A file belongs to the user of the conversation that it was said in.',
            CONSTRAINT = 'messages_audio_file_user_check',
            TABLE = 'messages',
            SCHEMA = tg_table_schema;
    END IF;
    RETURN new;
END;
$$;
REVOKE ALL ON FUNCTION check_message_audio() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION check_message_audio() IS 'Trigger: audio of a message is of the same user.';

-- A trigger cannot move a row to another partition: here a time is refused that elsewhere is silently kept.
CREATE TRIGGER messages_authority
BEFORE INSERT ON messages
FOR EACH ROW
WHEN (new.created_at IS DISTINCT FROM now())
EXECUTE FUNCTION platform.refuse_change_by_user('messages', 'messages_created_at_authority_check', 'created_at');

CREATE TRIGGER messages_conversation
BEFORE INSERT ON messages
FOR EACH ROW
EXECUTE FUNCTION check_new_message();

-- Its name comes after that of the trigger that fills in the user.
CREATE TRIGGER messages_file_insert
BEFORE INSERT ON messages
FOR EACH ROW
WHEN (new.audio_file_id IS NOT NULL)
EXECUTE FUNCTION check_message_audio();

CREATE TRIGGER messages_file
BEFORE UPDATE ON messages
FOR EACH ROW
WHEN (new.audio_file_id IS DISTINCT FROM old.audio_file_id AND new.audio_file_id IS NOT NULL)
EXECUTE FUNCTION check_message_audio();

CREATE TRIGGER messages_immutable
BEFORE UPDATE ON messages
FOR EACH ROW
WHEN (
    (old.id, old.conversation_id, old.created_at) IS DISTINCT FROM (new.id, new.conversation_id, new.created_at)
)
EXECUTE FUNCTION platform.refuse_change(
    'messages', 'messages_immutable_check', 'id', 'conversation_id', 'created_at'
);

CREATE TRIGGER messages_maintain
BEFORE UPDATE ON messages
FOR EACH ROW
WHEN (old.user_id IS DISTINCT FROM new.user_id)
EXECUTE FUNCTION platform.maintain_columns('{"user_id": null}', '{}');
