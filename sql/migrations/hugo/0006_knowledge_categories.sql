-- depends: 0005_messages
-- A lookup table instead of a CHECK: operators add categories without a migration.
CREATE TABLE knowledge_categories (
    category text,
    description text,
    CONSTRAINT knowledge_categories_pkey PRIMARY KEY (category),
    CONSTRAINT knowledge_categories_category_check CHECK (platform.is_identifier(category))
);
ALTER TABLE knowledge_categories ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON knowledge_categories FROM PUBLIC, anon, authenticated, service_role;

COMMENT ON TABLE knowledge_categories IS 'The categories that knowledge entries may have; operators may add rows.';
