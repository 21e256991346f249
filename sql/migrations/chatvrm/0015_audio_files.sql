-- depends: 0014_api_keys
-- Spoken messages. A file belongs to the user of the message that refers to it.
CREATE TABLE audio_files (
    id uuid DEFAULT gen_random_uuid(),
    storage_url text NOT NULL,
    duration_ms integer,
    format varchar(255) NOT NULL,
    size_bytes integer,
    created_at timestamptz NOT NULL DEFAULT now(),
    user_id uuid,
    cold_at timestamptz,
    claimed_until timestamptz,
    CONSTRAINT audio_files_pkey PRIMARY KEY (id),
    CONSTRAINT audio_files_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE SET NULL,
    CONSTRAINT audio_files_storage_url_check CHECK (platform.is_not_blank(storage_url)),
    CONSTRAINT audio_files_duration_ms_check CHECK (duration_ms >= 0),
    CONSTRAINT audio_files_format_check CHECK (platform.is_not_blank(format)),
    CONSTRAINT audio_files_size_bytes_check CHECK (size_bytes >= 0)
);
ALTER TABLE audio_files ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON audio_files FROM PUBLIC, anon, authenticated, service_role;

CREATE INDEX audio_files_user_idx ON audio_files (user_id, created_at DESC);
-- For claim_audio_for_cold_storage().
CREATE INDEX audio_files_hot_idx ON audio_files (created_at, id) WHERE cold_at IS NULL;

COMMENT ON TABLE audio_files IS 'Spoken messages; written by service_role.';
COMMENT ON COLUMN audio_files.user_id IS
'Maintained by the database: the user of the conversation it is said in; null for visitors.';
COMMENT ON COLUMN audio_files.cold_at IS 'When it went to cold storage, by mark_audio_cold(); null while it is hot.';
COMMENT ON COLUMN audio_files.claimed_until IS 'Until when a worker has it; then it is offered again.';
