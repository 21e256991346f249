-- Only in a schema that was made for this: in another one, who granted it cannot be told, and others may need it.
DO $$
BEGIN
    IF obj_description(to_regnamespace(quote_ident(current_schema())), 'pg_namespace') LIKE 'Companion: %' THEN
        EXECUTE format('REVOKE USAGE ON SCHEMA %I FROM anon, authenticated, service_role', current_schema());
    END IF;
END;
$$;
