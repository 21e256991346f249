-- depends: 0044_prepare_statements
-- Each part is hashed by itself, so that moving text between title and content changes the result.
CREATE FUNCTION knowledge_content_hash(p_title text, p_content text)
RETURNS text
LANGUAGE sql
STABLE STRICT PARALLEL SAFE
RETURN encode(
    sha256(sha256(convert_to(p_title, 'UTF8')) || sha256(convert_to(p_content, 'UTF8'))), 'hex'
);
REVOKE ALL ON FUNCTION knowledge_content_hash(text, text) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION knowledge_content_hash(text, text) IS
'Tells whether what a vector was made of is still what the entry says.';
