-- depends: 0002_personality_schemas
-- The registry of coaching apps. knowledge_base_ids has no default: at least one is required.
CREATE TABLE apps (
    id uuid DEFAULT gen_random_uuid(),
    app_id text NOT NULL,
    display_name text NOT NULL,
    domain text NOT NULL,
    personality_schema_id uuid,
    knowledge_base_ids text[] NOT NULL,
    is_active boolean DEFAULT TRUE,
    requires_subscription boolean DEFAULT FALSE,
    description text,
    icon_url text,
    app_store_url text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT apps_pkey PRIMARY KEY (id),
    CONSTRAINT apps_app_id_idx UNIQUE (app_id),
    CONSTRAINT apps_personality_schema_id_fkey FOREIGN KEY (personality_schema_id) REFERENCES personality_schemas (id),
    CONSTRAINT apps_app_id_check CHECK (platform.is_identifier(app_id)),
    CONSTRAINT apps_domain_check CHECK (
        domain IN ('dating', 'career', 'health', 'finance', 'relationships', 'general')
    ),
    CONSTRAINT apps_knowledge_base_ids_check CHECK (
        cardinality(knowledge_base_ids) > 0 AND platform.is_set(knowledge_base_ids)
    )
);
ALTER TABLE apps ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON apps FROM PUBLIC, anon, authenticated, service_role;

CREATE INDEX apps_domain_idx ON apps (domain);
CREATE INDEX apps_active_idx ON apps (is_active) WHERE is_active = TRUE;
CREATE INDEX apps_personality_schema_idx ON apps (personality_schema_id);
CREATE INDEX apps_knowledge_base_ids_idx ON apps USING gin (knowledge_base_ids);

COMMENT ON TABLE apps IS 'Coaching apps of the Oriva ecosystem; readable by anyone.';
COMMENT ON COLUMN apps.app_id IS 'The name by which consumers ask for the app, for example hugo_matchmaker.';
COMMENT ON COLUMN apps.domain IS 'dating, career, health, finance, relationships or general.';
COMMENT ON COLUMN apps.knowledge_base_ids IS
'kb_id of each knowledge base that the app uses: existing ones, whose app_ids name this app (checked at commit).';
COMMENT ON COLUMN apps.requires_subscription IS 'Information for consumers; the database does not enforce it.';
