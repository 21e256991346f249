-- depends: 0027_conversation_changes
-- As conversation_changes, for conversations.message_count.
CREATE TABLE message_changes (
    id bigint GENERATED ALWAYS AS IDENTITY,
    conversation_id uuid NOT NULL,
    messages integer NOT NULL,
    CONSTRAINT message_changes_pkey PRIMARY KEY (id)
);
ALTER TABLE message_changes ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON message_changes FROM PUBLIC, anon, authenticated, service_role;
REVOKE ALL ON SEQUENCE message_changes_id_seq FROM PUBLIC, anon, authenticated, service_role;

CREATE INDEX message_changes_conversation_idx ON message_changes (conversation_id);

COMMENT ON TABLE message_changes IS 'Changes that refresh_message_counts() has yet to add to conversations.';
