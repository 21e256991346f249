-- depends: 0055_knowledge_entries
-- Drafts, tests and the archive are service_role's.
CREATE POLICY ps_read_active ON personality_schemas
FOR SELECT TO authenticated
USING (status = 'active');

CREATE POLICY personality_schemas_service_all ON personality_schemas
FOR ALL TO service_role
USING (TRUE)
WITH CHECK (TRUE);
GRANT SELECT, INSERT, UPDATE, DELETE ON personality_schemas TO service_role;
GRANT SELECT ON personality_schemas TO authenticated;
