DROP TABLE archived_messages;
