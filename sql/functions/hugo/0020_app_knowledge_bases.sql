-- depends: 0019_apps_triggers
-- apps.knowledge_base_ids and knowledge_bases.app_ids must name each other. Both sides are checked at commit, so
-- that an app and its knowledge base can be created in one transaction in either order. The app's side locks and
-- rewrites the knowledge bases it refers to: of two sessions that meet, the second sees what the first has done, and
-- one whose snapshot is older than the app cannot take the knowledge base away (40001), whatever isolation levels the
-- two use. The checks have the definer's rights, since at commit the session may act as a role that sees less.
CREATE FUNCTION check_app_knowledge_bases()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
DECLARE
    v_app apps;
    v_usable text[];
    v_wrong text;
BEGIN
    -- The row as it is now: it may have changed again, or gone, since the trigger was queued.
    SELECT a.* INTO v_app FROM apps AS a WHERE a.id = new.id;
    IF NOT found THEN
        RETURN NULL;
    END IF;

    PERFORM 1
    FROM knowledge_bases AS kb
    WHERE kb.kb_id = ANY(v_app.knowledge_base_ids)
    ORDER BY kb.id
    FOR NO KEY UPDATE;
    UPDATE knowledge_bases AS kb
    SET entry_count = kb.entry_count
    WHERE kb.kb_id = ANY(v_app.knowledge_base_ids);

    v_usable := ARRAY(
        SELECT kb.kb_id
        FROM knowledge_bases AS kb
        WHERE kb.kb_id = ANY(v_app.knowledge_base_ids) AND v_app.app_id = ANY(kb.app_ids)
    );
    SELECT string_agg(quote_literal(k.kb_id), ', ') INTO v_wrong
    FROM unnest(v_app.knowledge_base_ids) AS k (kb_id)
    WHERE k.kb_id <> ALL(v_usable);

    IF v_wrong IS NOT NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'foreign_key_violation',
            MESSAGE = format('app "%s" refers to knowledge bases it cannot use: %s', v_app.app_id, v_wrong),
            HINT = 'Each element of knowledge_base_ids is the kb_id of a knowledge base whose app_ids names the app.',
            CONSTRAINT = 'apps_knowledge_base_ids_fkey',
            TABLE = 'apps',
            SCHEMA = tg_table_schema;
    END IF;
    RETURN NULL;
END;
$$;
REVOKE ALL ON FUNCTION check_app_knowledge_bases() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION check_app_knowledge_bases() IS
'Trigger, at commit: every knowledge base of an app exists and names the app.';

CREATE FUNCTION check_knowledge_base_apps()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
DECLARE
    v_apps text;
BEGIN

    SELECT string_agg(quote_literal(a.app_id), ', ' ORDER BY a.app_id) INTO v_apps
    FROM apps AS a
    WHERE a.knowledge_base_ids @> ARRAY[old.kb_id]
        AND NOT EXISTS (
            SELECT 1 FROM knowledge_bases AS kb WHERE kb.kb_id = old.kb_id AND a.app_id = ANY(kb.app_ids)
        );

    IF v_apps IS NOT NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'foreign_key_violation',
            MESSAGE = format('knowledge base "%s" is still used by the apps %s', old.kb_id, v_apps),
            HINT = 'Take it out of the knowledge_base_ids of these apps first, or in the same transaction.',
            CONSTRAINT = 'apps_knowledge_base_ids_fkey',
            TABLE = 'knowledge_bases',
            SCHEMA = tg_table_schema;
    END IF;
    RETURN NULL;
END;
$$;
REVOKE ALL ON FUNCTION check_knowledge_base_apps() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION check_knowledge_base_apps() IS
'Trigger, at commit: no app still refers to a knowledge base that was deleted, renamed or withdrawn from it.';

CREATE CONSTRAINT TRIGGER apps_knowledge_base_ids_fkey
AFTER INSERT OR UPDATE OF app_id, knowledge_base_ids ON apps
DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW
EXECUTE FUNCTION check_app_knowledge_bases();

CREATE CONSTRAINT TRIGGER apps_knowledge_base_ids_fkey
AFTER DELETE OR UPDATE OF kb_id, app_ids ON knowledge_bases
DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW
EXECUTE FUNCTION check_knowledge_base_apps();
