DROP FUNCTION forget_memory(uuid);
