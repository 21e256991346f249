REVOKE EXECUTE ON FUNCTION refuse_parent(text, text, text, text) FROM authenticated, service_role;
