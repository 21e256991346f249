-- depends: 0022_knowledge_base_cycle
-- knowledge_bases.entry_count, by statement: however many rows come at once, each knowledge base is updated once, in
-- one order, so that two bulk loads never wait for each other in a circle.
CREATE FUNCTION count_knowledge_entries()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
DECLARE
    v_ids uuid[];
    v_changes bigint[];
BEGIN
    -- A branch for each event: a transition table exists only where its event declares it.
    IF tg_op = 'INSERT' THEN
        SELECT array_agg(c.id), array_agg(c.change) INTO v_ids, v_changes
        FROM (SELECT n.knowledge_base_id, count(*) FROM new_rows AS n GROUP BY 1 ORDER BY 1) AS c (id, change);
    ELSIF tg_op = 'DELETE' THEN
        SELECT array_agg(c.id), array_agg(-c.change) INTO v_ids, v_changes
        FROM (SELECT o.knowledge_base_id, count(*) FROM old_rows AS o GROUP BY 1 ORDER BY 1) AS c (id, change);
    ELSE
        SELECT array_agg(c.id), array_agg(c.change) INTO v_ids, v_changes
        FROM (
            SELECT r.id, sum(r.change)
            FROM (
                SELECT n.knowledge_base_id, 1 FROM new_rows AS n
                UNION ALL
                SELECT o.knowledge_base_id, -1 FROM old_rows AS o
            ) AS r (id, change)
            GROUP BY 1
            HAVING sum(r.change) <> 0
            ORDER BY 1
        ) AS c (id, change);
    END IF;

    FOR i IN 1..coalesce(cardinality(v_ids), 0) LOOP
        UPDATE knowledge_bases AS kb SET entry_count = kb.entry_count + v_changes[i] WHERE kb.id = v_ids[i];
    END LOOP;
    RETURN NULL;
END;
$$;
REVOKE ALL ON FUNCTION count_knowledge_entries() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION count_knowledge_entries() IS 'Trigger: keeps knowledge_bases.entry_count.';

CREATE TRIGGER knowledge_entries_count_insert
AFTER INSERT ON knowledge_entries
REFERENCING NEW TABLE AS new_rows
FOR EACH STATEMENT
EXECUTE FUNCTION count_knowledge_entries();

CREATE TRIGGER knowledge_entries_count_delete
AFTER DELETE ON knowledge_entries
REFERENCING OLD TABLE AS old_rows
FOR EACH STATEMENT
EXECUTE FUNCTION count_knowledge_entries();

CREATE TRIGGER knowledge_entries_count_move
AFTER UPDATE ON knowledge_entries
REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
FOR EACH STATEMENT
EXECUTE FUNCTION count_knowledge_entries();
