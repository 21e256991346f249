-- depends: 0020_knowledge_bases
-- Which characters answer from which collections. Both are of one owner, by the composite foreign keys.
CREATE TABLE character_knowledge_bases (
    character_id uuid,
    knowledge_base_id uuid,
    created_at timestamptz NOT NULL DEFAULT now(),
    user_id uuid NOT NULL,
    CONSTRAINT character_knowledge_bases_pkey PRIMARY KEY (character_id, knowledge_base_id),
    CONSTRAINT character_knowledge_bases_character_id_fkey FOREIGN KEY (character_id, user_id)
    REFERENCES characters (id, user_id) ON DELETE CASCADE,
    CONSTRAINT character_knowledge_bases_knowledge_base_id_fkey FOREIGN KEY (knowledge_base_id, user_id)
    REFERENCES knowledge_bases (id, user_id) ON DELETE CASCADE
);
ALTER TABLE character_knowledge_bases ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON character_knowledge_bases FROM PUBLIC, anon, authenticated, service_role;

CREATE INDEX character_knowledge_bases_knowledge_base_idx ON character_knowledge_bases (knowledge_base_id);
CREATE INDEX character_knowledge_bases_user_idx ON character_knowledge_bases (user_id);

COMMENT ON TABLE character_knowledge_bases IS 'Which characters answer from which knowledge bases, beside their home.';
COMMENT ON COLUMN character_knowledge_bases.user_id IS 'Maintained by the database: the owner of both.';
