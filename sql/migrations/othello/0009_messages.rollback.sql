DROP TABLE messages;
DROP TYPE message_role;
