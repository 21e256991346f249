-- depends: 0021_knowledge_bases_triggers
-- A knowledge base is never its own ancestor. Changes of the tree take turns (the advisory lock). A session that does
-- not see what was committed meanwhile also locks each ancestor as it passes: it fails (40001) instead of closing a
-- circle. The others do not, since two that hold a row of their own would wait for each other.
CREATE FUNCTION check_knowledge_base_cycle()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
DECLARE
    c_sees_all CONSTANT boolean := current_setting('transaction_isolation') = 'read committed';
    v_seen text[] := ARRAY[new.kb_id];
    v_next text := new.parent_kb_id;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended(concat(current_schema(), '.knowledge_bases.parent_kb_id'), 0));
    WHILE v_next IS NOT NULL LOOP
        IF v_next = ANY(v_seen) THEN
            RAISE EXCEPTION USING
                ERRCODE = 'check_violation',
                MESSAGE = format('knowledge base "%s" would be its own ancestor', v_next),
                DETAIL = format('The chain of parents is %s.', array_to_string(v_seen || v_next, ' > ')),
                HINT = 'Choose a parent_kb_id that does not lead back here.',
                CONSTRAINT = 'kb_parent_cycle_check',
                TABLE = 'knowledge_bases',
                SCHEMA = tg_table_schema;
        END IF;
        v_seen := v_seen || v_next;
        IF c_sees_all THEN
            SELECT kb.parent_kb_id INTO v_next FROM knowledge_bases AS kb WHERE kb.kb_id = v_next;
        ELSE
            SELECT kb.parent_kb_id INTO v_next FROM knowledge_bases AS kb WHERE kb.kb_id = v_next FOR SHARE;
        END IF;
    END LOOP;
    RETURN NULL;
END;
$$;
REVOKE ALL ON FUNCTION check_knowledge_base_cycle() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION check_knowledge_base_cycle() IS 'Trigger: parents of knowledge bases never form a circle.';

CREATE TRIGGER kb_parent_cycle_check
AFTER INSERT OR UPDATE OF kb_id, parent_kb_id ON knowledge_bases
FOR EACH ROW
WHEN (new.parent_kb_id IS NOT NULL)
EXECUTE FUNCTION check_knowledge_base_cycle();
