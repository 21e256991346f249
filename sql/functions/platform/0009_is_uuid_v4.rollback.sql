DROP FUNCTION is_uuid_v4(uuid);
