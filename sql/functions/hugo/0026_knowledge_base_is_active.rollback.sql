DROP FUNCTION knowledge_base_is_active(uuid);
