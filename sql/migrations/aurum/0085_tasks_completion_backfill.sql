-- depends: 0084_keep_completion
-- transactional: false
-- As for the status of projects. Where the three contradict each other, any that says so counts as done: nobody ticks
-- off a task by mistake as often as a client forgets one of three columns.
DO $$
DECLARE
    v_ids uuid[];
    v_after uuid;
    v_rows bigint := 0;
BEGIN
    LOOP
        v_after := '00000000-0000-0000-0000-000000000000';
        LOOP
            v_ids := ARRAY(
                SELECT t.id
                FROM tasks AS t
                WHERE
                    t.id > v_after
                    AND (
                        t.completed IS DISTINCT FROM (t.completed_at IS NOT NULL)
                        OR t.completed IS DISTINCT FROM coalesce(t.status = 'completed', FALSE)
                    )
                ORDER BY t.id
                LIMIT 200
                FOR NO KEY UPDATE SKIP LOCKED
            );
            EXIT WHEN cardinality(v_ids) = 0;
            UPDATE tasks AS t
            SET
                completed = d.done,
                status = CASE WHEN d.done THEN 'completed' ELSE t.status END,
                completed_at = CASE WHEN d.done THEN coalesce(t.completed_at, t.updated_at, t.created_at, now()) END
            FROM unnest(v_ids) AS v (id)
            INNER JOIN tasks AS o ON v.id = o.id
            CROSS JOIN LATERAL (
                SELECT
                    coalesce(o.completed, FALSE)
                    OR coalesce(o.status = 'completed', FALSE)
                    OR o.completed_at IS NOT NULL AS done
            ) AS d
            WHERE t.id = v.id;
            v_rows := v_rows + (SELECT count(*) FROM tasks AS t WHERE t.id = ANY(v_ids) AND t.completed);
            COMMIT;
            v_after := v_ids[cardinality(v_ids)];
        END LOOP;
        EXIT WHEN NOT EXISTS (
            SELECT 1
            FROM tasks AS t
            WHERE
                t.completed IS DISTINCT FROM (t.completed_at IS NOT NULL)
                OR t.completed IS DISTINCT FROM coalesce(t.status = 'completed', FALSE)
        );
        PERFORM pg_sleep(0.1);
    END LOOP;
    IF v_rows > 0 THEN
        RAISE WARNING 'tasks: % said in one column that they are done and in another not; done from now on', v_rows;
    END IF;
END;
$$;
