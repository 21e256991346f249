-- depends: 0033_user_memories_triggers
-- draft > testing > active > archived. The database sets the times; a draft is the only way in, for service_role too.
CREATE FUNCTION guard_personality_rollout()
RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
BEGIN
    IF tg_op = 'INSERT' THEN
        IF new.status <> 'draft' THEN
            RAISE EXCEPTION USING
                ERRCODE = 'check_violation',
                MESSAGE = format('a new personality schema starts as "draft", not as "%s"', new.status),
                HINT = 'Insert a draft, then take it to testing and to active.',
                CONSTRAINT = 'ps_status_transition_check',
                TABLE = 'personality_schemas',
                SCHEMA = tg_table_schema;
        END IF;
        new.activated_at := NULL;
        new.archived_at := NULL;
        RETURN new;
    END IF;

    new.activated_at := old.activated_at;
    new.archived_at := old.archived_at;
    IF old.status <> 'active' AND new.status = 'active' THEN
        new.activated_at := now();
    ELSIF old.status <> 'archived' AND new.status = 'archived' THEN
        new.archived_at := now();
    ELSIF old.status = 'archived' AND new.rollout_percentage <> old.rollout_percentage THEN
        RAISE EXCEPTION USING
            ERRCODE = 'check_violation',
            MESSAGE = 'an archived personality schema keeps its last rollout_percentage',
            HINT = 'Send the present value, or leave the column out.',
            CONSTRAINT = 'ps_rollout_active_check',
            TABLE = 'personality_schemas',
            SCHEMA = tg_table_schema;
    END IF;
    RETURN new;
END;
$$;
REVOKE ALL ON FUNCTION guard_personality_rollout() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION guard_personality_rollout() IS
'Trigger: a personality schema starts as a draft; activated_at and archived_at are the database''s.';

CREATE TRIGGER personality_schemas_rollout
BEFORE INSERT OR UPDATE ON personality_schemas
FOR EACH ROW
EXECUTE FUNCTION guard_personality_rollout();

CREATE TRIGGER personality_schemas_status
BEFORE UPDATE ON personality_schemas
FOR EACH ROW
WHEN (old.status IS DISTINCT FROM new.status)
EXECUTE FUNCTION platform.guard_state(
    'personality_schemas', 'ps_status_transition_check', 'status', 'draft',
    'draft>testing', 'testing>active', 'active>archived'
);

CREATE TRIGGER personality_schemas_updated_at
BEFORE UPDATE ON personality_schemas
FOR EACH ROW
EXECUTE FUNCTION platform.update_updated_at_column();
