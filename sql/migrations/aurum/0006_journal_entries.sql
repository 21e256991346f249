-- depends: 0005_tasks
-- Base.
CREATE TABLE journal_entries (
    id uuid DEFAULT gen_random_uuid(),
    user_id uuid NOT NULL,
    title text NOT NULL,
    content text NOT NULL,
    mood text,
    energy_level text,
    tags text[] DEFAULT '{}',
    word_count integer DEFAULT 0,
    reading_time_minutes integer DEFAULT 0,
    deleted boolean DEFAULT FALSE,
    deleted_at timestamptz,
    created_at timestamptz DEFAULT now(),
    updated_at timestamptz DEFAULT now(),
    CONSTRAINT journal_entries_pkey PRIMARY KEY (id),
    CONSTRAINT journal_entries_user_id_fkey FOREIGN KEY (user_id) REFERENCES auth.users (id) ON DELETE CASCADE,
    CONSTRAINT journal_entries_mood_check CHECK (
        mood IN (
            'optimistic', 'inspired', 'reflective', 'challenging', 'anxious', 'grateful', 'excited', 'frustrated',
            'peaceful', 'motivated'
        )
    ),
    CONSTRAINT journal_entries_energy_level_check CHECK (
        energy_level IN ('very_low', 'low', 'moderate', 'high', 'very_high')
    )
);
ALTER TABLE journal_entries ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON journal_entries FROM PUBLIC, anon, authenticated, service_role;
