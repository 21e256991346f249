-- The three roles of the API, as Supabase names them. They belong to the cluster and are shared with others, so they
-- are created only where absent and never dropped.
DO $$
DECLARE
    v_role text;
BEGIN
    FOREACH v_role IN ARRAY ARRAY['anon', 'authenticated', 'service_role'] LOOP
        IF to_regrole(v_role) IS NULL THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I NOLOGIN', v_role);
                -- Who creates the roles must be able to act as them: tests, and jobs that run as the owner.
                IF NOT (SELECT r.rolsuper FROM pg_catalog.pg_roles AS r WHERE r.rolname = current_user) THEN
                    -- Since 16 it is the grant that says whether rights are inherited, and not the role alone.
                    EXECUTE format('GRANT %I TO %I', v_role, current_user) || CASE
                        WHEN current_setting('server_version_num')::integer >= 160000 THEN ' WITH INHERIT TRUE' ELSE ''
                    END;
                END IF;
            EXCEPTION
                -- Another database of the cluster was installed at the same moment.
                WHEN duplicate_object OR unique_violation THEN
                    RAISE NOTICE 'role % has just been created by another session', v_role;
            END;
        END IF;
    END LOOP;
END;
$$;
