DROP TABLE conversation_changes;
