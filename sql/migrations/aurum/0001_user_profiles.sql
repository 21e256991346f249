-- The base, as installations have it from before Companion: files 0001 to 0007 can be adopted (companion apply aurum
-- --adopt). What is better now comes with the files that follow.
CREATE TABLE user_profiles (
    id uuid,
    username text,
    first_name text,
    last_name text,
    profile_picture text,
    is_active boolean DEFAULT TRUE,
    level integer DEFAULT 1,
    total_points integer DEFAULT 0,
    current_streak integer DEFAULT 0,
    daily_streak integer DEFAULT 0,
    created_at timestamptz DEFAULT now(),
    updated_at timestamptz DEFAULT now(),
    CONSTRAINT user_profiles_pkey PRIMARY KEY (id),
    CONSTRAINT user_profiles_username_key UNIQUE (username),
    CONSTRAINT user_profiles_id_fkey FOREIGN KEY (id) REFERENCES auth.users (id) ON DELETE CASCADE
);
ALTER TABLE user_profiles ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON user_profiles FROM PUBLIC, anon, authenticated, service_role;
