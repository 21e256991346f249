DROP FUNCTION soft_delete_conversation(bigint);
DROP FUNCTION soft_delete_user(bigint);
