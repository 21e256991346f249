-- depends: 0005_chat_sessions
-- The user is the session's, by the composite foreign key. Numbers are given by append_session_message().
CREATE TABLE session_messages (
    id uuid DEFAULT gen_random_uuid(),
    session_id uuid NOT NULL,
    role text NOT NULL,
    content text NOT NULL,
    sequence_number integer NOT NULL,
    metadata jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    user_id uuid NOT NULL,
    CONSTRAINT session_messages_pkey PRIMARY KEY (id),
    CONSTRAINT session_messages_session_id_sequence_number_key UNIQUE (session_id, sequence_number),
    CONSTRAINT session_messages_session_id_fkey FOREIGN KEY (session_id, user_id)
    REFERENCES chat_sessions (id, user_id) ON DELETE CASCADE,
    CONSTRAINT session_messages_role_check CHECK (role IN ('user', 'assistant', 'system')),
    CONSTRAINT session_messages_content_check CHECK (platform.is_not_blank(content)),
    CONSTRAINT session_messages_sequence_number_check CHECK (sequence_number >= 1)
);
ALTER TABLE session_messages ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON session_messages FROM PUBLIC, anon, authenticated, service_role;

CREATE INDEX session_messages_user_idx ON session_messages (user_id, created_at DESC);
-- Row-level security adds the user to the condition. By an index of the session and another of the user, the planner
-- would read all that the user has ever said.
CREATE INDEX session_messages_session_idx ON session_messages (user_id, session_id, sequence_number);

COMMENT ON TABLE session_messages IS 'The turns of a conversation, in the order of sequence_number.';
COMMENT ON COLUMN session_messages.role IS 'user, assistant or system.';
COMMENT ON COLUMN session_messages.sequence_number IS '1, 2, 3 … in the session; append_session_message() gives it.';
COMMENT ON COLUMN session_messages.metadata IS 'For example {"tokens": 120, "latency_ms": 900, "model": "…"}.';
COMMENT ON COLUMN session_messages.user_id IS 'Maintained by the database: the user of the session.';
