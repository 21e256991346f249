REVOKE SELECT ON knowledge_categories FROM authenticated;
REVOKE SELECT, INSERT, UPDATE, DELETE ON knowledge_categories FROM service_role;
DROP POLICY knowledge_categories_service_all ON knowledge_categories;
DROP POLICY knowledge_categories_read ON knowledge_categories;
