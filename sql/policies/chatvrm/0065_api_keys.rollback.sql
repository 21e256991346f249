REVOKE SELECT ON api_keys_public FROM authenticated, service_role;
DROP POLICY api_keys_service_none ON api_keys;
