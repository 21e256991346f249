-- depends: 0026_get_or_create_chat_session
-- A message belongs to the user of its session and stays where it was said.
-- Also where users state the owner: else a UNIQUE column would tell them whether another's session has a message of a
-- number, before the foreign key refuses it.
CREATE TRIGGER session_messages_owner
BEFORE INSERT ON session_messages
FOR EACH ROW
WHEN (new.user_id IS NULL OR NOT platform.is_service())
EXECUTE FUNCTION inherit_owner('session_messages', 'user_id', 'session_id', 'chat_sessions');

CREATE TRIGGER session_messages_immutable
BEFORE UPDATE ON session_messages
FOR EACH ROW
WHEN ((old.id, old.session_id, old.user_id) IS DISTINCT FROM (new.id, new.session_id, new.user_id))
EXECUTE FUNCTION platform.refuse_change(
    'session_messages', 'session_messages_immutable_check', 'id', 'session_id', 'user_id'
);

-- Rows come in numbers, and nearly all with the present time: these ask themselves whether there is anything to do.
CREATE TRIGGER session_messages_maintain_insert
BEFORE INSERT ON session_messages
FOR EACH ROW
WHEN (new.created_at IS DISTINCT FROM now() AND NOT platform.is_service())
EXECUTE FUNCTION platform.maintain_columns('{}', '{"created_at": "now"}');

CREATE TRIGGER session_messages_maintain_update
BEFORE UPDATE ON session_messages
FOR EACH ROW
WHEN (old.created_at IS DISTINCT FROM new.created_at AND NOT platform.is_service())
EXECUTE FUNCTION platform.maintain_columns('{}', '{"created_at": "now"}');
