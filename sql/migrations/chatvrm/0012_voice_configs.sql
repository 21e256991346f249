-- depends: 0011_character_type_not_null
-- How a character speaks. The owner is the character's, by the composite foreign key.
CREATE TABLE voice_configs (
    id uuid DEFAULT gen_random_uuid(),
    character_id uuid NOT NULL,
    provider varchar(255) NOT NULL,
    voice_id varchar(255) NOT NULL,
    speed double precision NOT NULL DEFAULT 1,
    pitch double precision NOT NULL DEFAULT 0,
    volume double precision NOT NULL DEFAULT 1,
    emotion_settings jsonb NOT NULL DEFAULT '{}',
    updated_at timestamptz NOT NULL DEFAULT now(),
    user_id uuid NOT NULL,
    CONSTRAINT voice_configs_pkey PRIMARY KEY (id),
    CONSTRAINT voice_configs_character_id_key UNIQUE (character_id),
    CONSTRAINT voice_configs_character_id_fkey FOREIGN KEY (character_id, user_id)
    REFERENCES characters (id, user_id) ON DELETE CASCADE,
    CONSTRAINT voice_configs_provider_check CHECK (platform.is_not_blank(provider)),
    CONSTRAINT voice_configs_voice_id_check CHECK (platform.is_not_blank(voice_id)),
    -- NaN is greater than any number, and equal to itself.
    CONSTRAINT voice_configs_speed_check CHECK (speed > 0 AND speed < 'Infinity'),
    CONSTRAINT voice_configs_pitch_check CHECK (pitch > '-Infinity' AND pitch < 'Infinity'),
    CONSTRAINT voice_configs_volume_check CHECK (volume >= 0 AND volume < 'Infinity')
);
ALTER TABLE voice_configs ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON voice_configs FROM PUBLIC, anon, authenticated, service_role;

CREATE INDEX voice_configs_user_idx ON voice_configs (user_id);

COMMENT ON TABLE voice_configs IS 'How a character speaks, one for each.';
COMMENT ON COLUMN voice_configs.provider IS 'The speech service.';
COMMENT ON COLUMN voice_configs.voice_id IS 'The voice''s name there.';
COMMENT ON COLUMN voice_configs.user_id IS 'Maintained by the database: the owner of the character.';
