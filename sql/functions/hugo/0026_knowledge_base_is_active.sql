-- depends: 0025_knowledge_access
-- For the policy of knowledge_entries, which may not look into another table by itself.
CREATE FUNCTION knowledge_base_is_active(p_id uuid)
RETURNS boolean
LANGUAGE plpgsql
STABLE SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
BEGIN
    RETURN EXISTS (SELECT 1 FROM knowledge_bases AS kb WHERE kb.id = p_id AND kb.is_active);
END;
$$;
REVOKE ALL ON FUNCTION knowledge_base_is_active(uuid) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION knowledge_base_is_active(uuid) IS
'Whether a knowledge base is active; false for one that does not exist.';
