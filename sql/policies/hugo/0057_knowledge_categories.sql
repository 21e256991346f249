-- depends: 0056_personality_schemas
-- Consumers offer them for choice.
CREATE POLICY knowledge_categories_read ON knowledge_categories
FOR SELECT TO authenticated
USING (TRUE);

CREATE POLICY knowledge_categories_service_all ON knowledge_categories
FOR ALL TO service_role
USING (TRUE)
WITH CHECK (TRUE);
GRANT SELECT, INSERT, UPDATE, DELETE ON knowledge_categories TO service_role;
GRANT SELECT ON knowledge_categories TO authenticated;
