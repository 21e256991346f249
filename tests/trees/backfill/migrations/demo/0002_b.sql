-- depends: 0001_a
-- transactional: false
DO $$
BEGIN
    LOOP
        -- One at a time; COMMIT; each.
        UPDATE a SET note = 'COMMIT;' WHERE id = (SELECT min(id) FROM a WHERE note IS NULL);
        EXIT WHEN NOT found;
        COMMIT;
    END LOOP;
END;
$$;
