-- depends: 0046_knowledge_sync
-- Seeing the names in the schema; what may be done with them is granted table by table. Who sees them anyway, as
-- everybody does in public, is granted nothing, so that the rollback takes away nothing of others'.
DO $$
DECLARE
    v_role text;
BEGIN
    FOREACH v_role IN ARRAY ARRAY['anon', 'authenticated', 'service_role'] LOOP
        IF NOT has_schema_privilege(v_role, current_schema(), 'USAGE') THEN
            EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', current_schema(), v_role);
        END IF;
    END LOOP;
END;
$$;
