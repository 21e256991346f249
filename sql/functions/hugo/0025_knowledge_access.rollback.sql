DROP FUNCTION increment_knowledge_access(uuid[]);
DROP FUNCTION increment_ke_access(uuid);
