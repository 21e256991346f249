-- transactional: false
DO $$
DECLARE
    v_rows bigint;
BEGIN
    UPDATE a SET note = NULL WHERE note IS NOT NULL;
    GET DIAGNOSTICS v_rows = ROW_COUNT;
    RAISE WARNING '% rows say nothing any more', v_rows;
    COMMIT;
END;
$$;
