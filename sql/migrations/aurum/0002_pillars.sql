-- depends: 0001_user_profiles
-- Base. What somebody's life rests on.
CREATE TABLE pillars (
    id uuid DEFAULT gen_random_uuid(),
    user_id uuid NOT NULL,
    name text NOT NULL,
    description text DEFAULT '',
    icon text,
    color text DEFAULT '#F4B400',
    sort_order integer DEFAULT 0,
    archived boolean DEFAULT FALSE,
    time_allocation_percentage numeric(5, 2),
    created_at timestamptz DEFAULT now(),
    updated_at timestamptz DEFAULT now(),
    CONSTRAINT pillars_pkey PRIMARY KEY (id),
    CONSTRAINT pillars_user_id_fkey FOREIGN KEY (user_id) REFERENCES auth.users (id) ON DELETE CASCADE
);
ALTER TABLE pillars ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON pillars FROM PUBLIC, anon, authenticated, service_role;
