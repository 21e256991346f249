-- depends: 0007_documents
-- The user is the document's, by the composite foreign key, whether the document is in a project or not.
CREATE TABLE chunks (
    id uuid DEFAULT gen_random_uuid(),
    document_id uuid NOT NULL,
    content text NOT NULL,
    embedding vector(1536),
    chunk_index integer NOT NULL,
    page_number integer,
    metadata jsonb NOT NULL DEFAULT '{}',
    token_count integer,
    created_at timestamptz NOT NULL DEFAULT now(),
    user_id uuid NOT NULL,
    CONSTRAINT chunks_pkey PRIMARY KEY (id),
    CONSTRAINT chunks_document_id_chunk_index_key UNIQUE (document_id, chunk_index),
    CONSTRAINT chunks_document_id_fkey FOREIGN KEY (document_id, user_id)
    REFERENCES documents (id, user_id) ON DELETE CASCADE,
    CONSTRAINT chunks_content_check CHECK (platform.is_not_blank(content)),
    CONSTRAINT chunks_embedding_check CHECK (vector_norm(embedding) BETWEEN 1e-15 AND 1e15),
    CONSTRAINT chunks_chunk_index_check CHECK (chunk_index >= 0),
    CONSTRAINT chunks_page_number_check CHECK (page_number >= 1),
    CONSTRAINT chunks_token_count_check CHECK (token_count >= 0)
);
ALTER TABLE chunks ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON chunks FROM PUBLIC, anon, authenticated, service_role;

-- Row-level security adds the user to the condition: both in one index, as for session_messages.
CREATE INDEX chunks_user_idx ON chunks (user_id, document_id, chunk_index);
-- Parameters as for memories.
CREATE INDEX chunks_embedding_idx ON chunks USING hnsw (embedding vector_cosine_ops)
WITH (m = 24, ef_construction = 128)
WHERE embedding IS NOT NULL;

COMMENT ON TABLE chunks IS 'Segments of documents, for retrieval by meaning.';
COMMENT ON COLUMN chunks.content IS 'About 400 tokens.';
COMMENT ON COLUMN chunks.chunk_index IS 'Order in the document, from 0.';
COMMENT ON COLUMN chunks.page_number IS 'For PDFs, from 1.';
COMMENT ON COLUMN chunks.metadata IS 'For example {"section_title": "…", "heading_level": 2}.';
COMMENT ON COLUMN chunks.user_id IS 'Maintained by the database: the user of the document.';
