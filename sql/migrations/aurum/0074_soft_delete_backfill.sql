-- depends: 0073_hierarchy_validate
-- transactional: false
-- As for the status of projects. What was archived or deleted gets its time; the triggers fill it in.
DO $$
DECLARE
    v_table text;
    v_open text;
    v_ids uuid[];
    v_after uuid;
    v_left boolean;
BEGIN
    FOREACH v_table IN ARRAY ARRAY['pillars', 'areas', 'projects', 'tasks', 'journal_entries'] LOOP
        v_open := 'r.archived IS DISTINCT FROM (r.archived_at IS NOT NULL)';
        IF v_table = 'journal_entries' THEN
            v_open := v_open || ' OR r.archived <> coalesce(r.deleted, FALSE)';
        END IF;
        LOOP
            v_after := '00000000-0000-0000-0000-000000000000';
            LOOP
                EXECUTE format(
                    'SELECT ARRAY(SELECT r.id FROM %I AS r WHERE r.id > $1 AND (%s) ORDER BY r.id LIMIT 200 '
                    'FOR NO KEY UPDATE SKIP LOCKED)',
                    v_table, v_open
                )
                INTO v_ids
                USING v_after;
                EXIT WHEN cardinality(v_ids) = 0;
                EXECUTE format('UPDATE %I AS r SET archived = r.archived WHERE r.id = ANY($1)', v_table) USING v_ids;
                COMMIT;
                v_after := v_ids[cardinality(v_ids)];
            END LOOP;
            EXECUTE format('SELECT EXISTS (SELECT 1 FROM %I AS r WHERE %s)', v_table, v_open) INTO v_left;
            EXIT WHEN NOT v_left;
            PERFORM pg_sleep(0.1);
        END LOOP;
    END LOOP;
END;
$$;
