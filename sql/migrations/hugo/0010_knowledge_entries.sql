-- depends: 0009_knowledge_search_vector
-- Single pieces of knowledge, found by full-text search.
CREATE TABLE knowledge_entries (
    id uuid DEFAULT gen_random_uuid(),
    knowledge_base_id uuid NOT NULL,
    title text NOT NULL,
    content text NOT NULL,
    category text,
    tags text[] DEFAULT '{}',
    section_number integer,
    search_vector tsvector GENERATED ALWAYS AS (knowledge_search_vector(title, content, tags)) STORED,
    vector_store_id text,
    metadata jsonb DEFAULT '{}',
    access_count integer NOT NULL DEFAULT 0,
    last_accessed_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT knowledge_entries_pkey PRIMARY KEY (id),
    CONSTRAINT knowledge_entries_knowledge_base_id_fkey FOREIGN KEY (knowledge_base_id)
    REFERENCES knowledge_bases (id) ON DELETE CASCADE,
    CONSTRAINT knowledge_entries_category_fkey FOREIGN KEY (category) REFERENCES knowledge_categories (category),
    CONSTRAINT ke_title_check CHECK (platform.is_not_blank(title)),
    CONSTRAINT ke_content_check CHECK (platform.is_not_blank(content)),
    CONSTRAINT ke_section_number_check CHECK (section_number >= 0),
    CONSTRAINT ke_access_count_check CHECK (access_count >= 0)
);
ALTER TABLE knowledge_entries ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON knowledge_entries FROM PUBLIC, anon, authenticated, service_role;

CREATE INDEX ke_kb_id_idx ON knowledge_entries (knowledge_base_id);
CREATE INDEX ke_category_idx ON knowledge_entries (category);
CREATE INDEX ke_search_idx ON knowledge_entries USING gin (search_vector);
CREATE INDEX ke_tags_idx ON knowledge_entries USING gin (tags);
CREATE INDEX ke_popular_idx ON knowledge_entries (access_count DESC);

COMMENT ON TABLE knowledge_entries IS 'Single pieces of domain knowledge.';
COMMENT ON COLUMN knowledge_entries.category IS 'One of knowledge_categories.';
COMMENT ON COLUMN knowledge_entries.section_number IS 'Place in ordered content, from 0.';
COMMENT ON COLUMN knowledge_entries.search_vector IS
'Follows from title, content and tags; see knowledge_search_vector().';
COMMENT ON COLUMN knowledge_entries.vector_store_id IS
'Key of the entry in the external vector store; see sync_knowledge_to_vector().';
COMMENT ON COLUMN knowledge_entries.access_count IS
'Counted by increment_ke_access() and increment_knowledge_access().';
