-- depends: 0004_memories
-- Conversations. scope says how a session was begun: of the daily ones and of those of a project one is active at a
-- time, of scope conversation as many as one likes.
CREATE TABLE chat_sessions (
    id uuid DEFAULT gen_random_uuid(),
    user_id uuid NOT NULL,
    project_id uuid,
    session_type text NOT NULL DEFAULT 'thinking_partner',
    status text NOT NULL DEFAULT 'active',
    started_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz,
    context_metadata jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    scope text NOT NULL DEFAULT 'conversation',
    CONSTRAINT chat_sessions_pkey PRIMARY KEY (id),
    -- What messages refer to, so that they can belong to nobody but the session's user.
    CONSTRAINT chat_sessions_user_id_id_key UNIQUE (user_id, id),
    CONSTRAINT chat_sessions_user_id_fkey FOREIGN KEY (user_id) REFERENCES auth.users (id) ON DELETE CASCADE,
    CONSTRAINT chat_sessions_project_id_fkey FOREIGN KEY (project_id, user_id)
    REFERENCES projects (id, owner_id) ON DELETE CASCADE,
    -- Short enough for the indexes that hold it.
    CONSTRAINT chat_sessions_session_type_check CHECK (
        platform.is_not_blank(session_type) AND char_length(session_type) <= 200
    ),
    CONSTRAINT chat_sessions_status_check CHECK (status IN ('active', 'completed', 'archived')),
    CONSTRAINT chat_sessions_scope_check CHECK (scope IN ('daily', 'project', 'conversation')),
    CONSTRAINT chat_sessions_ended_at_check CHECK (
        (status = 'active') = (ended_at IS NULL) AND coalesce(ended_at >= started_at, TRUE)
    )
);
ALTER TABLE chat_sessions ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON chat_sessions FROM PUBLIC, anon, authenticated, service_role;

-- For get_or_create_chat_session(), at every isolation level. Null as project is a value like any other.
CREATE UNIQUE INDEX chat_sessions_active_key ON chat_sessions (
    user_id, project_id, session_type, scope, (CASE scope WHEN 'daily' THEN (started_at AT TIME ZONE 'UTC')::date END)
) NULLS NOT DISTINCT
WHERE status = 'active' AND scope <> 'conversation';
CREATE INDEX chat_sessions_recent_idx ON chat_sessions (user_id, started_at DESC);
CREATE INDEX chat_sessions_active_idx ON chat_sessions (user_id, session_type, started_at DESC)
WHERE status = 'active';
CREATE INDEX chat_sessions_project_idx ON chat_sessions (project_id);

COMMENT ON TABLE chat_sessions IS 'Conversations of a user with the thinking partner.';
COMMENT ON COLUMN chat_sessions.project_id IS 'Null: a conversation across all projects.';
COMMENT ON COLUMN chat_sessions.status IS 'active → completed → archived, active → archived.';
COMMENT ON COLUMN chat_sessions.ended_at IS 'Set by the database when the session leaves active.';
COMMENT ON COLUMN chat_sessions.context_metadata IS 'For example {"memories_count": 12, "model": "…"}.';
COMMENT ON COLUMN chat_sessions.scope IS
'How it was begun: daily (one is active for a user, project, type and day of UTC), project (one for a user, project '
'and type) or conversation.';
