DROP FUNCTION revoke_api_key(uuid);
DROP FUNCTION authenticate_api_key(text);
DROP FUNCTION create_api_key(text, text[], timestamptz);
