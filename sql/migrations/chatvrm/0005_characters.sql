-- depends: 0004_vrm_models
-- As it was before mode was given its new name; the files that follow show how a column is renamed while old and new
-- application servers run side by side. What a character is asked to be (system_prompt) is its owner's secret.
CREATE TABLE characters (
    id uuid DEFAULT gen_random_uuid(),
    user_id uuid NOT NULL,
    name varchar(255) NOT NULL,
    slug varchar(255) NOT NULL,
    description text,
    system_prompt text NOT NULL,
    status varchar(50) NOT NULL DEFAULT 'draft',
    mode varchar(50) NOT NULL DEFAULT 'agentic',
    vrm_model_id uuid,
    voice_config jsonb NOT NULL DEFAULT '{}',
    metadata jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    published_at timestamptz,
    conversation_count integer NOT NULL DEFAULT 0,
    average_rating double precision,
    llm_model varchar(50) NOT NULL DEFAULT 'gpt-4',
    rating_count integer NOT NULL DEFAULT 0,
    rating_sum numeric NOT NULL DEFAULT 0,
    CONSTRAINT characters_pkey PRIMARY KEY (id),
    CONSTRAINT unique_slug UNIQUE (slug),
    -- What hangs on a character refers to this, so that it can belong to nobody but its owner.
    CONSTRAINT characters_user_id_id_key UNIQUE (user_id, id),
    CONSTRAINT characters_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT characters_vrm_model_id_fkey FOREIGN KEY (vrm_model_id) REFERENCES vrm_models (id) ON DELETE SET NULL,
    CONSTRAINT characters_name_check CHECK (platform.is_not_blank(name)),
    CONSTRAINT characters_slug_check CHECK (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'),
    CONSTRAINT characters_system_prompt_check CHECK (platform.is_not_blank(system_prompt)),
    CONSTRAINT check_status CHECK (status IN ('draft', 'published', 'archived')),
    CONSTRAINT characters_mode_check CHECK (platform.is_not_blank(mode)),
    CONSTRAINT characters_llm_model_check CHECK (platform.is_not_blank(llm_model)),
    CONSTRAINT characters_published_at_check CHECK (status <> 'published' OR published_at IS NOT NULL),
    CONSTRAINT check_conversation_count CHECK (conversation_count >= 0),
    CONSTRAINT characters_average_rating_check CHECK (average_rating BETWEEN 1 AND 5)
);
ALTER TABLE characters ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON characters FROM PUBLIC, anon, authenticated, service_role;

CREATE INDEX idx_characters_user_id ON characters (user_id);
CREATE INDEX idx_characters_status ON characters (status);
CREATE INDEX idx_characters_user_id_status ON characters (user_id, status);
CREATE INDEX idx_characters_user_status_updated ON characters (user_id, status, updated_at DESC);
CREATE INDEX idx_characters_name_gin ON characters USING gin (to_tsvector('english', name));
CREATE INDEX characters_vrm_model_idx ON characters (vrm_model_id);

COMMENT ON TABLE characters IS 'Characters that people make; whoever is not the owner reads published_characters.';
COMMENT ON COLUMN characters.slug IS 'Its address: lower-case letters, digits and single hyphens.';
COMMENT ON COLUMN characters.status IS 'draft → published → archived; published → draft, archived → draft.';
COMMENT ON COLUMN characters.mode IS 'The old name of character_type.';
COMMENT ON COLUMN characters.published_at IS 'Set by the database when it is first published.';
COMMENT ON COLUMN characters.conversation_count IS
'Maintained by refresh_character_counters(): all conversations, archived ones included.';
COMMENT ON COLUMN characters.average_rating IS
'Maintained by refresh_character_counters(): 1 to 5, null without a rating.';
COMMENT ON COLUMN characters.rating_count IS 'Maintained by refresh_character_counters(): how many ratings there are.';
COMMENT ON COLUMN characters.rating_sum IS 'Maintained by refresh_character_counters(): all ratings together.';
