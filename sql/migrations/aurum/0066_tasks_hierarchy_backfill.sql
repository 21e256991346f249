-- depends: 0065_projects_move
-- transactional: false
-- As for projects.
DO $$
DECLARE
    v_ids uuid[];
    v_after uuid;
BEGIN
    LOOP
        v_after := '00000000-0000-0000-0000-000000000000';
        LOOP
            v_ids := ARRAY(SELECT t.id FROM tasks AS t WHERE t.id > v_after ORDER BY t.id LIMIT 200);
            EXIT WHEN cardinality(v_ids) = 0;
            UPDATE tasks AS t
            SET area_id = w.area_id, pillar_id = w.pillar_id
            FROM (
                SELECT
                    o.id,
                    p.area_id,
                    p.pillar_id
                FROM tasks AS o
                INNER JOIN projects AS p ON o.project_id = p.id AND o.user_id = p.user_id
                WHERE o.id = ANY(v_ids) AND (o.area_id, o.pillar_id) IS DISTINCT FROM (p.area_id, p.pillar_id)
                FOR NO KEY UPDATE OF o SKIP LOCKED
                FOR KEY SHARE OF p SKIP LOCKED
            ) AS w
            WHERE t.id = w.id;
            COMMIT;
            v_after := v_ids[cardinality(v_ids)];
        END LOOP;
        EXIT WHEN NOT EXISTS (
            SELECT 1
            FROM tasks AS t
            INNER JOIN projects AS p ON t.project_id = p.id AND t.user_id = p.user_id
            WHERE (t.area_id, t.pillar_id) IS DISTINCT FROM (p.area_id, p.pillar_id)
        );
        PERFORM pg_sleep(0.1);
    END LOOP;
END;
$$;
