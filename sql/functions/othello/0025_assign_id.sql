-- depends: 0024_session_logs_public
-- Ids are counted, and users know those of others. An id that a user sends along is kept where it is a row of their
-- own (an upsert); else the row gets a fresh one, whether there is such a row or not. Without this a duplicate key
-- would tell which ids exist. A definer function: users hold no rights on the sequence.
CREATE FUNCTION assign_id()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
DECLARE
    v_own boolean;
BEGIN
    -- One static statement for each table: planning one anew for each row would take most of the time of an INSERT.
    -- That new.user_id is the caller is the policy's business, which comes next.
    CASE tg_argv[0]
        WHEN 'consent_tiers' THEN
            v_own := EXISTS (SELECT 1 FROM consent_tiers AS t WHERE t.id = new.id AND t.user_id = new.user_id);
        WHEN 'conversations' THEN
            v_own := EXISTS (SELECT 1 FROM conversations AS t WHERE t.id = new.id AND t.user_id = new.user_id);
        WHEN 'messages' THEN
            v_own := EXISTS (SELECT 1 FROM messages AS t WHERE t.id = new.id AND t.user_id = new.user_id);
        WHEN 'psychological_profiles' THEN
            v_own := EXISTS (SELECT 1 FROM psychological_profiles AS t WHERE t.id = new.id AND t.user_id = new.user_id);
        WHEN 'user_preferences' THEN
            v_own := EXISTS (SELECT 1 FROM user_preferences AS t WHERE t.id = new.id AND t.user_id = new.user_id);
    END CASE;
    IF NOT v_own THEN
        new.id := nextval(format('%I', tg_argv[0] || '_id_seq')::regclass);
    END IF;
    RETURN new;
END;
$$;
REVOKE ALL ON FUNCTION assign_id() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION assign_id() IS
'Trigger: a user''s new row has an id of the database''s choosing. Argument: the table.';
