-- The bucket goes where it was made here, nobody else uses it and nothing is in it. To an instance that still uses it
-- the mark of having made it is handed on.
DO $$
DECLARE
    v_policy record;
    v_made boolean := FALSE;
    v_heir name;
BEGIN
    IF to_regclass('storage.buckets') IS NULL OR to_regclass('storage.objects') IS NULL THEN
        RETURN;
    END IF;
    FOR v_policy IN
        SELECT
            p.polname AS name,
            obj_description(p.oid, 'pg_policy') IS NOT NULL AS made
        FROM pg_catalog.pg_policy AS p
        WHERE p.polrelid = 'storage.objects'::regclass AND starts_with(p.polname, current_schema() || ' documents: ')
    LOOP
        v_made := v_made OR v_policy.made;
        EXECUTE format('DROP POLICY %I ON storage.objects', v_policy.name);
    END LOOP;
    IF v_made THEN
        v_heir := (
            SELECT min(p.polname::text)
            FROM pg_catalog.pg_policy AS p
            WHERE p.polrelid = 'storage.objects'::regclass AND p.polname LIKE '% documents: select own'
        );
        IF v_heir IS NOT NULL THEN
            EXECUTE format('COMMENT ON POLICY %I ON storage.objects IS %L', v_heir, 'The bucket was made with it.');
        END IF;
        -- A trigger of Supabase's refuses what does not say so; the bucket is empty.
        PERFORM set_config('storage.allow_delete_query', 'true', TRUE);
        DELETE FROM storage.buckets AS b
        WHERE
            b.id = 'documents'
            AND NOT EXISTS (SELECT 1 FROM storage.objects AS o WHERE o.bucket_id = b.id)
            AND NOT EXISTS (
                SELECT 1
                FROM pg_catalog.pg_policy AS p
                WHERE p.polrelid = 'storage.objects'::regclass AND p.polname LIKE '% documents: %'
            );
        PERFORM set_config('storage.allow_delete_query', 'false', TRUE);
    END IF;
EXCEPTION
    WHEN insufficient_privilege THEN
        RAISE WARNING USING
            MESSAGE = format('the bucket "documents" and its policies were not removed: %s', sqlerrm),
            HINT = 'Remove them in the Supabase dashboard.';
END;
$$;
