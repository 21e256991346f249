-- depends: 0054_search_character_knowledge
-- Definer functions, because row-level security keeps a full-text condition from using the index; they show published
-- characters, as published_characters does, and what is one's own. The bound on the query keeps it within what a
-- tsquery can hold; a row of dashes, each of which means "not", would exceed its stack and is dropped.
CREATE FUNCTION search_characters(p_query text, p_limit integer DEFAULT 20)
RETURNS TABLE (
    id uuid,
    name varchar(255),
    slug varchar(255),
    description text,
    status varchar(50),
    published_at timestamptz,
    average_rating double precision,
    relevance real
)
LANGUAGE sql
STABLE SECURITY DEFINER
SET search_path FROM CURRENT
BEGIN ATOMIC
    SELECT
        c.id,
        c.name,
        c.slug,
        c.description,
        c.status,
        c.published_at,
        c.average_rating,
        ts_rank(to_tsvector('pg_catalog.english'::regconfig, c.name), q.query) AS relevance
    FROM
        websearch_to_tsquery(
            'pg_catalog.english'::regconfig,
            regexp_replace(left(p_query, 1000), '(?:-[^[:alnum:]"]*){3,}', ' ', 'g') -- noqa: RF03
        ) AS q (query)
    INNER JOIN characters AS c ON to_tsvector('pg_catalog.english'::regconfig, c.name) @@ q.query
    WHERE c.status = 'published' OR c.user_id = (SELECT current_user_id())
    ORDER BY relevance DESC, c.published_at DESC NULLS LAST, c.id ASC
    LIMIT least(greatest(coalesce(p_limit, 20), 1), 100); -- noqa: RF03
END;
REVOKE ALL ON FUNCTION search_characters(text, integer) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION search_characters(text, integer) IS
'Published characters, and those of the caller, whose name matches what people type (quotes, or, minus), best first, '
'at most 100.';

CREATE FUNCTION search_documents(p_query text, p_limit integer DEFAULT 20)
RETURNS TABLE (
    id uuid,
    knowledge_base_id uuid,
    filename varchar(255),
    file_type varchar(255),
    status varchar(255),
    uploaded_at timestamptz
)
LANGUAGE sql
STABLE SECURITY DEFINER
SET search_path FROM CURRENT
BEGIN ATOMIC
    SELECT
        d.id,
        d.knowledge_base_id,
        d.filename,
        d.file_type,
        d.status,
        d.uploaded_at
    FROM
        websearch_to_tsquery(
            'pg_catalog.english'::regconfig,
            regexp_replace(left(p_query, 1000), '(?:-[^[:alnum:]"]*){3,}', ' ', 'g') -- noqa: RF03
        ) AS q (query)
    INNER JOIN documents AS d
        ON to_tsvector('pg_catalog.english'::regconfig, left(d.content, 100000)) @@ q.query
    WHERE d.user_id = (SELECT current_user_id()) AND d.status <> 'archived'
    ORDER BY d.uploaded_at DESC, d.id ASC
    LIMIT least(greatest(coalesce(p_limit, 20), 1), 100); -- noqa: RF03
END;
REVOKE ALL ON FUNCTION search_documents(text, integer) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION search_documents(text, integer) IS
'The caller''s documents, without archived ones, of which the first 100,000 characters match what people type, latest '
'first, at most 100.';
