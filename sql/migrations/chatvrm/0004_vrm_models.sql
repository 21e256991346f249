-- depends: 0003_current_user_id
-- Bodies of characters.
CREATE TABLE vrm_models (
    id uuid DEFAULT gen_random_uuid(),
    name varchar(255) NOT NULL,
    category varchar(255) NOT NULL,
    file_url text NOT NULL,
    preview_url text,
    polygon_count integer,
    file_size_mb double precision,
    metadata jsonb NOT NULL DEFAULT '{}',
    is_public boolean NOT NULL DEFAULT FALSE,
    is_approved boolean NOT NULL DEFAULT FALSE,
    created_at timestamptz NOT NULL DEFAULT now(),
    tags varchar(255)[] NOT NULL DEFAULT '{}',
    CONSTRAINT vrm_models_pkey PRIMARY KEY (id),
    CONSTRAINT vrm_models_name_check CHECK (platform.is_not_blank(name)),
    CONSTRAINT vrm_models_category_check CHECK (platform.is_not_blank(category)),
    CONSTRAINT vrm_models_file_url_check CHECK (platform.is_not_blank(file_url)),
    CONSTRAINT vrm_models_polygon_count_check CHECK (polygon_count >= 0),
    -- NaN is greater than any number.
    CONSTRAINT vrm_models_file_size_mb_check CHECK (file_size_mb > 0 AND file_size_mb < 'Infinity'),
    CONSTRAINT vrm_models_tags_check CHECK (platform.is_set(tags))
);
ALTER TABLE vrm_models ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON vrm_models FROM PUBLIC, anon, authenticated, service_role;

CREATE INDEX vrm_models_public_idx ON vrm_models (category, name) WHERE is_public AND is_approved;

COMMENT ON TABLE vrm_models IS 'VRM models that characters wear. Anyone sees those that are public and approved.';
COMMENT ON COLUMN vrm_models.is_approved IS 'Set by service_role only.';
