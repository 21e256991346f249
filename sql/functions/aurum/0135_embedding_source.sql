-- depends: 0134_refresh_user_stats
-- The one place that says which texts of a kind of row are embedded, and into which columns.
CREATE FUNCTION embedding_source(
    p_entity text, OUT source_table text, OUT texts text, OUT columns text[]
)
LANGUAGE plpgsql
IMMUTABLE
SET search_path FROM CURRENT
AS $$
BEGIN
    CASE p_entity
        WHEN 'journal_entry' THEN
            source_table := 'journal_entries';
            texts := 'r.content, r.title';
            columns := ARRAY['content_embedding', 'title_embedding'];
        WHEN 'task' THEN
            source_table := 'tasks';
            texts := 'r.description, r.name';
            columns := ARRAY['description_embedding', 'name_embedding'];
        WHEN 'project' THEN
            source_table := 'projects';
            texts := $text$concat_ws(
                E'\n\n', r.name, CASE WHEN platform.is_not_blank(r.description) THEN btrim(r.description) END
            )$text$;
            columns := ARRAY['combined_embedding'];
        WHEN 'daily_reflection' THEN
            source_table := 'daily_reflections';
            texts := 'r.reflection_text, r.biggest_accomplishment, r.challenges_faced';
            columns := ARRAY['reflection_embedding', 'accomplishment_embedding', 'challenges_embedding'];
        WHEN 'conversation' THEN
            source_table := 'ai_conversation_memory';
            texts := 'r.message_content';
            columns := ARRAY['message_embedding'];
        ELSE
            RAISE EXCEPTION USING
                ERRCODE = 'invalid_parameter_value',
                MESSAGE = format('"%s" is nothing that has embeddings', p_entity),
                HINT = 'Say journal_entry, task, project, daily_reflection or conversation.';
    END CASE;
    -- What is blank has no embedding.
    texts := format(
        'ARRAY(SELECT CASE WHEN platform.is_not_blank(t.text) THEN btrim(t.text) END '
        'FROM unnest(ARRAY[%s]) WITH ORDINALITY AS t (text, n) ORDER BY t.n)',
        texts
    );
END;
$$;
REVOKE ALL ON FUNCTION embedding_source(text) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION embedding_source(text) IS
'Which table, texts and columns the embeddings of a kind of row are about.';

CREATE FUNCTION embedding_text_hash(p_texts text[])
RETURNS text
LANGUAGE sql
STABLE
RETURN encode(sha256(convert_to(p_texts::text, 'UTF8')), 'hex');
REVOKE ALL ON FUNCTION embedding_text_hash(text[]) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION embedding_text_hash(text[]) IS
'By which it is known whether an embedding was made for these texts.';
