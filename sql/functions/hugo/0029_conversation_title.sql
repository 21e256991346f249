-- depends: 0028_messages_triggers
-- The first line, without the white space around it; longer than 80 characters, it is cut after the last word that
-- fits.
CREATE FUNCTION conversation_title(p_content text)
RETURNS text
LANGUAGE sql
IMMUTABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
    SELECT
        CASE
            WHEN length(l.line) <= 80 THEN l.line
            ELSE coalesce(substring(left(l.line, 81) FROM '^(.*\S)\s'), left(l.line, 80))
        END
    FROM (
        SELECT nullif(btrim(split_part(btrim(left(p_content, 10000), E' \t\r\n'), E'\n', 1), E' \t\r'), '')
    ) AS l (line);
END;
REVOKE ALL ON FUNCTION conversation_title(text) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION conversation_title(text) IS
'The title that a conversation takes from a message: its first line, at most 80 characters, cut at a word.';
