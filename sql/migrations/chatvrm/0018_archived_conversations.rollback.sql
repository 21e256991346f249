DROP TABLE archived_conversations;
