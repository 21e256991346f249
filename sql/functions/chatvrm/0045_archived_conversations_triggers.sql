-- depends: 0044_refresh_message_counts
-- A user who is gone is taken out of archived conversations by their foreign key; their messages follow, as they do
-- where a visitor signs in and a service says who it was.
CREATE FUNCTION hand_over_archived_messages()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
BEGIN
    -- A user goes together with characters of theirs: then it is gone, and its messages are about to follow.
    IF NOT EXISTS (SELECT 1 FROM archived_conversations AS c WHERE c.id = new.id) THEN
        RETURN NULL;
    END IF;
    UPDATE audio_files AS f
    SET user_id = new.user_id
    FROM archived_messages AS m
    WHERE m.conversation_id = new.id AND m.audio_file_id = f.id AND f.user_id IS DISTINCT FROM new.user_id;
    UPDATE archived_messages AS m SET user_id = new.user_id WHERE m.conversation_id = new.id;
    RETURN NULL;
END;
$$;
REVOKE ALL ON FUNCTION hand_over_archived_messages() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION hand_over_archived_messages() IS
'Trigger: archived messages and their audio belong to the user of their conversation.';

CREATE TRIGGER archived_conversations_messages
AFTER UPDATE ON archived_conversations
FOR EACH ROW
WHEN (old.user_id IS DISTINCT FROM new.user_id)
EXECUTE FUNCTION hand_over_archived_messages();
