-- depends: 0045_project_status
-- transactional: false
-- In batches, each committed by itself. What somebody else is writing is left for the next round: nobody waits for
-- this, and it waits for nobody. The trigger translates.
DO $$
DECLARE
    c_old CONSTANT text[] := ARRAY['Not Started', 'In Progress', 'Completed', 'On Hold'];
    v_ids uuid[];
    v_after uuid;
BEGIN
    LOOP
        v_after := '00000000-0000-0000-0000-000000000000';
        LOOP
            v_ids := ARRAY(
                SELECT p.id
                FROM projects AS p
                WHERE p.id > v_after AND p.status = ANY(c_old)
                ORDER BY p.id
                LIMIT 200
                FOR NO KEY UPDATE SKIP LOCKED
            );
            EXIT WHEN cardinality(v_ids) = 0;
            UPDATE projects AS p SET status = p.status WHERE p.id = ANY(v_ids);
            COMMIT;
            v_after := v_ids[cardinality(v_ids)];
        END LOOP;
        EXIT WHEN NOT EXISTS (SELECT 1 FROM projects AS p WHERE p.status = ANY(c_old));
        PERFORM pg_sleep(0.1);
    END LOOP;
END;
$$;
