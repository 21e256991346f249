-- depends: 0003_projects
-- What the assistant remembers, for retrieval by meaning. Without a project a memory is the user's everywhere; with one
-- it goes when the project goes, since losing the project would silently widen it to all others.
CREATE TABLE memories (
    id uuid DEFAULT gen_random_uuid(),
    user_id uuid NOT NULL,
    project_id uuid,
    content text NOT NULL,
    embedding vector(1536),
    tags text[] NOT NULL DEFAULT '{}',
    entities jsonb NOT NULL DEFAULT '{}',
    importance double precision NOT NULL DEFAULT 0.5,
    source_type text NOT NULL DEFAULT 'chat',
    source_ref jsonb,
    is_active boolean NOT NULL DEFAULT TRUE,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT memories_pkey PRIMARY KEY (id),
    CONSTRAINT memories_user_id_fkey FOREIGN KEY (user_id) REFERENCES auth.users (id) ON DELETE CASCADE,
    CONSTRAINT memories_project_id_fkey FOREIGN KEY (project_id, user_id)
    REFERENCES projects (id, owner_id) ON DELETE CASCADE,
    CONSTRAINT memories_content_check CHECK (platform.is_not_blank(content)),
    -- A vector without length has no direction: its similarity to anything is NaN. So is that of one whose squares do
    -- not fit into the single precision that distances are computed in.
    CONSTRAINT memories_embedding_check CHECK (vector_norm(embedding) BETWEEN 1e-15 AND 1e15),
    CONSTRAINT memories_tags_check CHECK (platform.is_set(tags)),
    CONSTRAINT memories_entities_check CHECK (
        jsonb_typeof(entities) = 'object'
        AND coalesce(jsonb_typeof(entities -> 'people') = 'array', TRUE)
        AND coalesce(jsonb_typeof(entities -> 'companies') = 'array', TRUE)
        AND coalesce(jsonb_typeof(entities -> 'concepts') = 'array', TRUE)
    ),
    CONSTRAINT memories_importance_check CHECK (importance BETWEEN 0 AND 1),
    CONSTRAINT memories_source_type_check CHECK (source_type IN ('chat', 'document', 'manual', 'import'))
);
ALTER TABLE memories ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON memories FROM PUBLIC, anon, authenticated, service_role;

CREATE INDEX memories_user_idx ON memories (user_id, created_at DESC);
CREATE INDEX memories_project_idx ON memories (project_id);
CREATE INDEX memories_tags_idx ON memories USING gin (tags);
-- For exact search: which rows of a user can be found at all.
CREATE INDEX memories_search_idx ON memories (user_id) WHERE is_active AND embedding IS NOT NULL;
-- With pgvector's defaults (16, 64) whole clusters of 20,000 vectors were out of the graph's reach: recall 0.73 to 0.9
-- whatever ef_search; with these 1. An insert takes 2 ms instead of 1.
CREATE INDEX memories_embedding_idx ON memories USING hnsw (embedding vector_cosine_ops)
WITH (m = 24, ef_construction = 128)
WHERE is_active AND embedding IS NOT NULL;
-- For get_document_with_stats().
CREATE INDEX memories_document_idx ON memories (user_id, (source_ref ->> 'document_id'))
WHERE source_type = 'document';

COMMENT ON TABLE memories IS 'What the assistant remembers of a user, everywhere or within a project.';
COMMENT ON COLUMN memories.project_id IS 'A project in a workspace of the user; null: it counts in all of them.';
COMMENT ON COLUMN memories.embedding IS 'Of content; without one the memory is found by no search.';
COMMENT ON COLUMN memories.tags IS 'Extracted, or added by the user.';
COMMENT ON COLUMN memories.entities IS '{"people": [], "companies": [], "concepts": []}; other keys are allowed.';
COMMENT ON COLUMN memories.importance IS '0 to 1; 30 % of the relevance in searches.';
COMMENT ON COLUMN memories.source_type IS 'chat, document, manual or import.';
COMMENT ON COLUMN memories.source_ref IS 'For example {"session_id": …, "document_id": …, "chunk_id": …}.';
COMMENT ON COLUMN memories.is_active IS 'False once it is forgotten, by forget_memory(); then no search finds it.';
