-- depends: 0008_knowledge_bases
-- Wraps array_to_string(), which is only stable for arrays in general and immutable for text. The bounds keep every
-- vector below PostgreSQL's limit of 1 MB, whatever the text: what lies beyond is stored and not searched.
CREATE FUNCTION knowledge_search_vector(p_title text, p_content text, p_tags text[])
RETURNS tsvector
LANGUAGE sql
IMMUTABLE PARALLEL SAFE
RETURN setweight(to_tsvector('pg_catalog.english'::regconfig, left(coalesce(p_title, ''), 2000)), 'A')
|| setweight(to_tsvector('pg_catalog.english'::regconfig, left(coalesce(p_content, ''), 100000)), 'B')
|| setweight(to_tsvector('pg_catalog.english'::regconfig, left(coalesce(array_to_string(p_tags, ' '), ''), 2000)), 'C');
REVOKE ALL ON FUNCTION knowledge_search_vector(text, text, text[]) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION knowledge_search_vector(text, text, text[]) IS
'What full-text search sees of an entry: title (weight A), the first 100,000 characters of content (B), tags (C).';
