-- depends: 0026_published_characters
-- What happened to conversations since counters were last brought up to date: rows that are only added, so that two
-- talks with one character never wait for each other. No foreign key: what a deleted character leaves is thrown away.
CREATE TABLE conversation_changes (
    id bigint GENERATED ALWAYS AS IDENTITY,
    character_id uuid NOT NULL,
    conversations integer NOT NULL,
    ratings integer NOT NULL,
    rating_sum numeric NOT NULL,
    CONSTRAINT conversation_changes_pkey PRIMARY KEY (id)
);
ALTER TABLE conversation_changes ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON conversation_changes FROM PUBLIC, anon, authenticated, service_role;
REVOKE ALL ON SEQUENCE conversation_changes_id_seq FROM PUBLIC, anon, authenticated, service_role;

CREATE INDEX conversation_changes_character_idx ON conversation_changes (character_id);

COMMENT ON TABLE conversation_changes IS 'Changes that refresh_character_counters() has yet to add to characters.';
