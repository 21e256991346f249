-- depends: 0001_roles
-- Supabase's auth schema in its smallest form: users, and who is calling. On a Supabase project all of it is there
-- already and nothing is touched.
DO $$
BEGIN
    IF to_regnamespace('auth') IS NOT NULL THEN
        IF to_regprocedure('auth.uid()') IS NULL OR to_regclass('auth.users') IS NULL THEN
            RAISE EXCEPTION USING
                ERRCODE = 'undefined_object',
                MESSAGE = 'schema "auth" exists but lacks the table auth.users or the function auth.uid()',
                HINT = 'Use a database where "auth" is Supabase''s, or one that has no schema of that name.';
        END IF;
        RETURN;
    END IF;

    CREATE SCHEMA auth;
    GRANT USAGE ON SCHEMA auth TO anon, authenticated, service_role;
    COMMENT ON SCHEMA auth IS 'Users and the identity of the caller, as on Supabase.';

    CREATE TABLE auth.users (
        id uuid DEFAULT gen_random_uuid(),
        email text,
        created_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT users_pkey PRIMARY KEY (id),
        CONSTRAINT users_email_key UNIQUE (email)
    );
    ALTER TABLE auth.users ENABLE ROW LEVEL SECURITY;
    REVOKE ALL ON auth.users FROM PUBLIC, anon, authenticated, service_role;
    COMMENT ON TABLE auth.users IS 'Accounts, kept by the authentication service.';

    CREATE FUNCTION auth.jwt()
    RETURNS jsonb
    LANGUAGE sql
    STABLE
    RETURN nullif(current_setting('request.jwt.claims', true), '')::jsonb;

    CREATE FUNCTION auth.uid()
    RETURNS uuid
    LANGUAGE sql
    STABLE
    RETURN nullif(auth.jwt() ->> 'sub', '')::uuid;

    CREATE FUNCTION auth.role()
    RETURNS text
    LANGUAGE sql
    STABLE
    RETURN auth.jwt() ->> 'role';

    REVOKE ALL ON FUNCTION auth.jwt(), auth.uid(), auth.role() FROM PUBLIC;
    GRANT EXECUTE ON FUNCTION auth.jwt(), auth.uid(), auth.role() TO anon, authenticated, service_role;
    COMMENT ON FUNCTION auth.jwt() IS 'The claims of the request, from the setting request.jwt.claims.';
    COMMENT ON FUNCTION auth.uid() IS 'The user of the request: the claim "sub".';
    COMMENT ON FUNCTION auth.role() IS 'The role of the request: the claim "role".';
END;
$$;
