-- depends: 0019_archived_messages
-- Collections of documents. The home character is of the same owner; where it is deleted the collection stays.
CREATE TABLE knowledge_bases (
    id uuid DEFAULT gen_random_uuid(),
    character_id uuid,
    name varchar(255) NOT NULL,
    description text,
    pinecone_index_id varchar(255),
    document_count integer NOT NULL DEFAULT 0,
    total_chunks integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    user_id uuid NOT NULL DEFAULT current_user_id(),
    CONSTRAINT knowledge_bases_pkey PRIMARY KEY (id),
    CONSTRAINT knowledge_bases_user_id_id_key UNIQUE (user_id, id),
    CONSTRAINT knowledge_bases_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT knowledge_bases_character_id_fkey FOREIGN KEY (character_id, user_id)
    REFERENCES characters (id, user_id) ON DELETE SET NULL (character_id),
    CONSTRAINT knowledge_bases_name_check CHECK (platform.is_not_blank(name)),
    CONSTRAINT knowledge_bases_document_count_check CHECK (document_count >= 0),
    CONSTRAINT knowledge_bases_total_chunks_check CHECK (total_chunks >= 0)
);
ALTER TABLE knowledge_bases ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON knowledge_bases FROM PUBLIC, anon, authenticated, service_role;

CREATE INDEX knowledge_bases_character_idx ON knowledge_bases (character_id);

COMMENT ON TABLE knowledge_bases IS 'Collections of documents that characters answer from.';
COMMENT ON COLUMN knowledge_bases.character_id IS 'Its home character, which always answers from it; may be null.';
COMMENT ON COLUMN knowledge_bases.document_count IS 'Maintained by the database.';
COMMENT ON COLUMN knowledge_bases.total_chunks IS 'Maintained by the database.';
COMMENT ON COLUMN knowledge_bases.user_id IS 'The owner; by default the caller.';
