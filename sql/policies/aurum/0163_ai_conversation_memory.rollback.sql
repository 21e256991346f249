REVOKE SELECT, INSERT, UPDATE, DELETE ON ai_conversation_memory FROM authenticated;
REVOKE SELECT, INSERT, UPDATE, DELETE ON ai_conversation_memory FROM service_role;
DROP POLICY ai_conversation_memory_service_all ON ai_conversation_memory;
DROP POLICY ai_conversation_memory_user_access ON ai_conversation_memory;
