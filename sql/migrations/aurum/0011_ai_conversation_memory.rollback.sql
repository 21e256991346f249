DROP TABLE ai_conversation_memory;
