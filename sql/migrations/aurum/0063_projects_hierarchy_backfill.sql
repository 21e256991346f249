-- depends: 0062_projects_hierarchy
-- transactional: false
-- As for the status of projects; tasks do not follow yet. Whose area is another user's has no place:
-- data_quality_report() counts it.
DO $$
DECLARE
    v_ids uuid[];
    v_after uuid;
BEGIN
    LOOP
        v_after := '00000000-0000-0000-0000-000000000000';
        LOOP
            v_ids := ARRAY(SELECT p.id FROM projects AS p WHERE p.id > v_after ORDER BY p.id LIMIT 200);
            EXIT WHEN cardinality(v_ids) = 0;
            UPDATE projects AS p
            SET pillar_id = w.pillar_id
            FROM (
                SELECT
                    o.id,
                    a.pillar_id
                FROM projects AS o
                INNER JOIN areas AS a ON o.area_id = a.id AND o.user_id = a.user_id
                WHERE o.id = ANY(v_ids) AND o.pillar_id IS DISTINCT FROM a.pillar_id
                FOR UPDATE OF o SKIP LOCKED
                FOR KEY SHARE OF a SKIP LOCKED
            ) AS w
            WHERE p.id = w.id;
            COMMIT;
            v_after := v_ids[cardinality(v_ids)];
        END LOOP;
        EXIT WHEN NOT EXISTS (
            SELECT 1
            FROM projects AS p
            INNER JOIN areas AS a ON p.area_id = a.id AND p.user_id = a.user_id
            WHERE p.pillar_id IS DISTINCT FROM a.pillar_id
        );
        PERFORM pg_sleep(0.1);
    END LOOP;
END;
$$;
