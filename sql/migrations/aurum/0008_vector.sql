-- depends: 0007_user_stats
-- requires: vector
-- Phase 1, foundation, begins here. pgvector is a prerequisite, shared with others: created in schema extensions where
-- there is none, used wherever it is, never dropped. Searches need the iterative scans of 0.8.
DO $$
DECLARE
    v_version text;
BEGIN
    IF NOT EXISTS (SELECT 1 FROM pg_catalog.pg_extension AS e WHERE e.extname = 'vector') THEN
        IF to_regnamespace('extensions') IS NULL THEN
            CREATE SCHEMA extensions;
            GRANT USAGE ON SCHEMA extensions TO anon, authenticated, service_role;
        END IF;
        CREATE EXTENSION vector WITH SCHEMA extensions;
    END IF;

    v_version := (SELECT e.extversion FROM pg_catalog.pg_extension AS e WHERE e.extname = 'vector');
    IF string_to_array(v_version, '.')::integer[] < ARRAY[0, 8] THEN
        RAISE EXCEPTION USING
            ERRCODE = 'feature_not_supported',
            MESSAGE = format('pgvector %s is installed, and 0.8 is needed', v_version),
            HINT = 'Install a newer pgvector on the server, then run: ALTER EXTENSION vector UPDATE;';
    END IF;
END;
$$;
