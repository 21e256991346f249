REVOKE SELECT ON published_characters, published_models, published_voices FROM anon, authenticated, service_role;
REVOKE SELECT, INSERT, UPDATE ON characters FROM authenticated;
REVOKE SELECT, INSERT, UPDATE ON characters FROM service_role;
DROP POLICY characters_service_all ON characters;
DROP POLICY characters_owner_policy ON characters;
