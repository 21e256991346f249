-- depends: 0001_users
-- Versions of coaching personalities. A base stands alone; an overlay refines a base.
CREATE TABLE personality_schemas (
    id uuid DEFAULT gen_random_uuid(),
    schema_id text NOT NULL,
    version text NOT NULL,
    layer text NOT NULL,
    parent_schema_id uuid,
    -- Makes "the parent is a base" a plain foreign key, which no pair of sessions can get around.
    parent_layer text GENERATED ALWAYS AS (CASE WHEN parent_schema_id IS NOT NULL THEN 'base' END) STORED,
    schema jsonb NOT NULL,
    status text NOT NULL DEFAULT 'draft',
    rollout_percentage integer NOT NULL DEFAULT 0,
    ab_test_group text,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    activated_at timestamptz,
    archived_at timestamptz,
    CONSTRAINT personality_schemas_pkey PRIMARY KEY (id),
    CONSTRAINT personality_schemas_id_layer_key UNIQUE (id, layer),
    CONSTRAINT personality_schemas_parent_schema_id_fkey FOREIGN KEY (parent_schema_id, parent_layer)
    REFERENCES personality_schemas (id, layer),
    CONSTRAINT ps_layer_check CHECK (layer IN ('base', 'overlay')),
    CONSTRAINT ps_parent_check CHECK ((layer = 'overlay') = (parent_schema_id IS NOT NULL)),
    CONSTRAINT ps_version_check CHECK (platform.is_semver(version)),
    CONSTRAINT ps_status_check CHECK (status IN ('draft', 'testing', 'active', 'archived')),
    CONSTRAINT ps_rollout_check CHECK (rollout_percentage BETWEEN 0 AND 100),
    CONSTRAINT ps_rollout_active_check CHECK (rollout_percentage = 0 OR status IN ('active', 'archived')),
    -- One constraint for each key, so that the error names the key at fault; the first by name is the first to speak.
    CONSTRAINT ps_schema_check CHECK (jsonb_typeof(schema) = 'object'),
    CONSTRAINT ps_schema_tone_check CHECK (
        coalesce(schema ->> 'tone' IN ('warm', 'collaborative', 'professional', 'casual'), FALSE)
    ),
    CONSTRAINT ps_schema_focus_check CHECK (
        platform.is_jsonb_text_array(schema -> 'focus')
        AND schema -> 'focus' <> '[]'
        -- The white space of platform.is_not_blank().
        AND NOT schema @? '$.focus[*] ? (
            @ like_regex "^[ \t\n\u000b\f\r\u0085\u00a0\u1680\u2000-\u200d\u2028\u2029\u202f\u205f\u2060\u3000\ufeff]*$"
        )'
    ),
    CONSTRAINT ps_schema_constraints_check CHECK (platform.is_jsonb_text_array(schema -> 'constraints')),
    CONSTRAINT ps_schema_examples_check CHECK (
        coalesce(jsonb_typeof(schema -> 'examples') = 'array', FALSE)
        -- Strict, because lax looks for the objects in an array of arrays.
        AND NOT schema @? 'strict $.examples[*] ? (@.type() != "object")'
        AND NOT schema @? '$.examples[*] ? (!(@.situation.type() == "string") || !(@.response.type() == "string"))'
    ),
    CONSTRAINT ps_schema_voice_characteristics_check CHECK (
        NOT schema ? 'voice_characteristics' OR platform.is_jsonb_unit_object(schema -> 'voice_characteristics')
    )
);
ALTER TABLE personality_schemas ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON personality_schemas FROM PUBLIC, anon, authenticated, service_role;

CREATE INDEX ps_schema_id_version_idx ON personality_schemas (schema_id, version);
CREATE INDEX ps_layer_idx ON personality_schemas (layer);
CREATE INDEX ps_status_idx ON personality_schemas (status);
CREATE INDEX ps_active_idx ON personality_schemas (status, rollout_percentage)
WHERE status = 'active' AND rollout_percentage > 0;
CREATE UNIQUE INDEX ps_unique_active_schema ON personality_schemas (schema_id)
WHERE status = 'active' AND rollout_percentage = 100;
CREATE INDEX ps_parent_idx ON personality_schemas (parent_schema_id, parent_layer);

COMMENT ON TABLE personality_schemas IS
'Versions of coaching personalities: tone, style and limits, rolled out step by step.';
COMMENT ON COLUMN personality_schemas.schema_id IS 'Which personality this is a version of, for example core_hugo.';
COMMENT ON COLUMN personality_schemas.layer IS 'base, or overlay of a base.';
COMMENT ON COLUMN personality_schemas.parent_schema_id IS 'The base that an overlay refines.';
COMMENT ON COLUMN personality_schemas.parent_layer IS 'Maintained by the database: base where there is a parent.';
COMMENT ON COLUMN personality_schemas.schema IS
'{tone, focus, constraints, examples}, optionally voice_characteristics; other keys are allowed.';
COMMENT ON COLUMN personality_schemas.status IS 'draft, testing, active, archived, in this order.';
COMMENT ON COLUMN personality_schemas.rollout_percentage IS
'Share of users that get it, 0 to 100; above 0 once active.';
COMMENT ON COLUMN personality_schemas.activated_at IS 'Set by the database when it becomes active.';
COMMENT ON COLUMN personality_schemas.archived_at IS 'Set by the database when it is archived.';
