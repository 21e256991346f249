-- depends: 0007_knowledge_categories
-- Collections of domain knowledge that one or more apps draw on.
CREATE TABLE knowledge_bases (
    id uuid DEFAULT gen_random_uuid(),
    kb_id text NOT NULL,
    title text NOT NULL,
    description text,
    app_ids text[] NOT NULL,
    owner_org text DEFAULT 'oriva',
    version text NOT NULL DEFAULT '1.0.0',
    parent_kb_id text,
    entry_count integer NOT NULL DEFAULT 0,
    is_active boolean DEFAULT TRUE,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT knowledge_bases_pkey PRIMARY KEY (id),
    CONSTRAINT kb_kb_id_idx UNIQUE (kb_id),
    CONSTRAINT knowledge_bases_parent_kb_id_fkey FOREIGN KEY (parent_kb_id) REFERENCES knowledge_bases (kb_id),
    CONSTRAINT kb_kb_id_check CHECK (platform.is_identifier(kb_id)),
    CONSTRAINT kb_app_ids_check CHECK (cardinality(app_ids) > 0 AND platform.is_set(app_ids)),
    CONSTRAINT kb_version_check CHECK (platform.is_semver(version)),
    CONSTRAINT kb_parent_check CHECK (parent_kb_id <> kb_id),
    CONSTRAINT kb_entry_count_check CHECK (entry_count >= 0)
);
ALTER TABLE knowledge_bases ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON knowledge_bases FROM PUBLIC, anon, authenticated, service_role;

CREATE INDEX kb_app_ids_idx ON knowledge_bases USING gin (app_ids);
CREATE INDEX kb_active_idx ON knowledge_bases (is_active) WHERE is_active = TRUE;
CREATE INDEX kb_parent_idx ON knowledge_bases (parent_kb_id);

COMMENT ON TABLE knowledge_bases IS 'Collections of domain knowledge for coaching apps.';
COMMENT ON COLUMN knowledge_bases.kb_id IS 'The name by which apps refer to it, for example intimacy_code_v1.';
COMMENT ON COLUMN knowledge_bases.app_ids IS 'app_id of each app that may use it; at least one.';
COMMENT ON COLUMN knowledge_bases.parent_kb_id IS
'The knowledge base that this one is a newer version of; never in a circle.';
COMMENT ON COLUMN knowledge_bases.entry_count IS 'Maintained by the database.';
