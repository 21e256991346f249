DROP FUNCTION acting_user(uuid);
