-- depends: 0022_documents
-- The owner is the document's, by the composite foreign key.
CREATE TABLE document_chunks (
    id uuid DEFAULT gen_random_uuid(),
    document_id uuid NOT NULL,
    chunk_index integer NOT NULL,
    content text NOT NULL,
    embedding vector(1536),
    metadata jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    user_id uuid NOT NULL,
    CONSTRAINT document_chunks_pkey PRIMARY KEY (id),
    CONSTRAINT document_chunks_document_id_chunk_index_key UNIQUE (document_id, chunk_index),
    CONSTRAINT document_chunks_document_id_fkey FOREIGN KEY (document_id, user_id)
    REFERENCES documents (id, user_id) ON DELETE CASCADE,
    CONSTRAINT document_chunks_chunk_index_check CHECK (chunk_index >= 0),
    CONSTRAINT document_chunks_content_check CHECK (platform.is_not_blank(content)),
    -- A vector without length has no direction: its similarity to anything is NaN. So is that of one whose squares do
    -- not fit into the single precision that distances are computed in.
    CONSTRAINT document_chunks_embedding_check CHECK (vector_norm(embedding) BETWEEN 1e-15 AND 1e15)
);
ALTER TABLE document_chunks ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON document_chunks FROM PUBLIC, anon, authenticated, service_role;

CREATE INDEX document_chunks_user_idx ON document_chunks (user_id, document_id, chunk_index);
-- With pgvector's defaults (16, 64) whole clusters of 20,000 vectors were out of the graph's reach.
CREATE INDEX document_chunks_embedding_idx ON document_chunks USING hnsw (embedding vector_cosine_ops)
WITH (m = 24, ef_construction = 128)
WHERE embedding IS NOT NULL;

COMMENT ON TABLE document_chunks IS 'Segments of documents, for retrieval by meaning.';
COMMENT ON COLUMN document_chunks.chunk_index IS 'Order in the document, from 0.';
COMMENT ON COLUMN document_chunks.user_id IS 'Maintained by the database: the owner of the document.';
