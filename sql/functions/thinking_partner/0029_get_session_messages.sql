-- depends: 0028_append_session_message
-- Runs with the caller's rights.
CREATE FUNCTION get_session_messages(p_session_id uuid)
RETURNS SETOF session_messages
LANGUAGE sql
STABLE
BEGIN ATOMIC
    -- The row type is the result, p_session_id a parameter.
    SELECT m.* -- noqa: AM04
    FROM session_messages AS m
    WHERE m.session_id = p_session_id -- noqa: RF03
    ORDER BY m.sequence_number;
END;
REVOKE ALL ON FUNCTION get_session_messages(uuid) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION get_session_messages(uuid) IS 'The messages of a session of the caller, in order.';
