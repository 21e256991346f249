-- depends: 0041_get_chat_context
-- A definer function, because row-level security keeps a full-text condition from using the index; it shows nothing
-- but active knowledge bases, which every user may read. The bound on the query keeps it within what a tsquery can
-- hold; a row of dashes, each of which means "not", would exceed its stack and is dropped.
CREATE FUNCTION search_knowledge(p_query text, p_app_id text, p_limit integer)
RETURNS TABLE (
    id uuid,
    title text,
    content text,
    category text,
    relevance real,
    tags text[],
    kb_id text
)
LANGUAGE sql
STABLE SECURITY DEFINER
SET search_path FROM CURRENT
BEGIN ATOMIC
    SELECT
        ke.id,
        ke.title,
        ke.content,
        ke.category,
        ts_rank(ke.search_vector, q.query) AS relevance,
        ke.tags,
        kb.kb_id
    FROM apps AS a
    INNER JOIN knowledge_bases AS kb ON kb.kb_id = ANY(a.knowledge_base_ids) AND a.app_id = ANY(kb.app_ids)
    INNER JOIN knowledge_entries AS ke ON kb.id = ke.knowledge_base_id
    CROSS JOIN
        websearch_to_tsquery(
            'pg_catalog.english'::regconfig,
            regexp_replace(left(p_query, 1000), '(?:-[^[:alnum:]"]*){3,}', ' ', 'g')
        ) AS q (query)
    WHERE
        a.app_id = p_app_id
        AND kb.is_active
        AND ke.search_vector @@ q.query
    ORDER BY relevance DESC, ke.id ASC
    LIMIT least(greatest(coalesce(p_limit, 10), 1), 100);
END;
REVOKE ALL ON FUNCTION search_knowledge(text, text, integer) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION search_knowledge(text, text, integer) IS
'Full-text search in the active knowledge bases of an app, best first, at most 100 rows; takes what people type '
'(quotes, or, minus) and gives no row where nothing is left to search for.';
