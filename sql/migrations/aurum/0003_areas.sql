-- depends: 0002_pillars
-- Base. Parts of a pillar, or on their own.
CREATE TABLE areas (
    id uuid DEFAULT gen_random_uuid(),
    user_id uuid NOT NULL,
    pillar_id uuid,
    name text NOT NULL,
    description text DEFAULT '',
    icon text,
    color text DEFAULT '#F4B400',
    importance integer DEFAULT 3,
    archived boolean DEFAULT FALSE,
    sort_order integer DEFAULT 0,
    created_at timestamptz DEFAULT now(),
    updated_at timestamptz DEFAULT now(),
    CONSTRAINT areas_pkey PRIMARY KEY (id),
    CONSTRAINT areas_user_id_fkey FOREIGN KEY (user_id) REFERENCES auth.users (id) ON DELETE CASCADE,
    CONSTRAINT areas_pillar_id_fkey FOREIGN KEY (pillar_id) REFERENCES pillars (id) ON DELETE SET NULL,
    CONSTRAINT areas_importance_check CHECK (importance >= 1 AND importance <= 5)
);
ALTER TABLE areas ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON areas FROM PUBLIC, anon, authenticated, service_role;
