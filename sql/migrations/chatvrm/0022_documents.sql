-- depends: 0021_character_knowledge_bases
-- Files on their way to chunks. Of a long text the first 100,000 characters are searched: a tsvector holds 1 MB, and an
-- index over all of it would make the insert of a longer one fail.
CREATE TABLE documents (
    id uuid DEFAULT gen_random_uuid(),
    knowledge_base_id uuid NOT NULL,
    filename varchar(255) NOT NULL,
    file_type varchar(255) NOT NULL,
    content text,
    storage_url text,
    chunk_count integer NOT NULL DEFAULT 0,
    metadata jsonb NOT NULL DEFAULT '{}',
    uploaded_at timestamptz NOT NULL DEFAULT now(),
    status varchar(255) NOT NULL DEFAULT 'pending',
    user_id uuid NOT NULL,
    CONSTRAINT documents_pkey PRIMARY KEY (id),
    CONSTRAINT documents_user_id_id_key UNIQUE (user_id, id),
    CONSTRAINT documents_knowledge_base_id_fkey FOREIGN KEY (knowledge_base_id, user_id)
    REFERENCES knowledge_bases (id, user_id) ON DELETE CASCADE,
    CONSTRAINT documents_filename_check CHECK (platform.is_not_blank(filename)),
    CONSTRAINT documents_file_type_check CHECK (platform.is_not_blank(file_type)),
    CONSTRAINT documents_chunk_count_check CHECK (chunk_count >= 0),
    CONSTRAINT documents_status_check CHECK (status IN ('pending', 'processing', 'completed', 'failed', 'archived'))
);
ALTER TABLE documents ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON documents FROM PUBLIC, anon, authenticated, service_role;

CREATE INDEX idx_documents_content_gin ON documents USING gin (to_tsvector('english', left(content, 100000)));
CREATE INDEX documents_knowledge_base_idx ON documents (knowledge_base_id);

COMMENT ON TABLE documents IS 'Files of a knowledge base, cut into chunks by workers.';
COMMENT ON COLUMN documents.content IS 'The text; search_documents() looks at the first 100,000 characters.';
COMMENT ON COLUMN documents.chunk_count IS 'Maintained by the database.';
COMMENT ON COLUMN documents.status IS
'pending → processing → completed or failed; failed → pending; any → archived; archived → pending.';
COMMENT ON COLUMN documents.user_id IS 'Maintained by the database: the owner of the knowledge base.';
