-- depends: 0059_functions
-- On Supabase: a private bucket for the files of documents, in which everybody has a folder of their own, named after
-- their id. The policies bear the schema's name, so that several instances can stand side by side; the bucket is
-- theirs together. Where there is no storage, nothing is done; a role that may not even look for it is warned as well.
DO $$
DECLARE
    c_prefix CONSTANT text := current_schema() || ' documents: ';
    c_own CONSTANT text := 'bucket_id = ''documents'' AND (storage.foldername(name))[1] = (SELECT auth.uid())::text';
    v_made boolean;
BEGIN
    IF to_regclass('storage.buckets') IS NULL OR to_regclass('storage.objects') IS NULL THEN
        RETURN;
    END IF;
    INSERT INTO storage.buckets (id, name, public, file_size_limit, allowed_mime_types)
    VALUES (
        'documents', 'documents', FALSE, 25 * 1024 * 1024,
        ARRAY[
            'application/pdf',
            'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
            'text/plain',
            'text/markdown'
        ]
    )
    ON CONFLICT (id) DO NOTHING;
    v_made := found;
    EXECUTE format(
        'CREATE POLICY %I ON storage.objects FOR SELECT TO authenticated USING (%s)', c_prefix || 'select own', c_own
    );
    EXECUTE format(
        'CREATE POLICY %I ON storage.objects FOR INSERT TO authenticated WITH CHECK (%s)',
        c_prefix || 'insert own', c_own
    );
    EXECUTE format(
        'CREATE POLICY %I ON storage.objects FOR DELETE TO authenticated USING (%s)', c_prefix || 'delete own', c_own
    );
    -- The rollback takes away what was made here, and no bucket that was there before.
    IF v_made THEN
        EXECUTE format(
            'COMMENT ON POLICY %I ON storage.objects IS %L', c_prefix || 'select own', 'The bucket was made with it.'
        );
    END IF;
EXCEPTION
    WHEN insufficient_privilege THEN
        RAISE WARNING USING
            MESSAGE = format('the bucket "documents" and its policies were not made: %s', sqlerrm),
            HINT = 'Make them in the Supabase dashboard, or apply as a role that may.';
END;
$$;
