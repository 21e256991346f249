-- depends: 0034_api_keys
-- The states of a character, and what stands beside them.
CREATE FUNCTION stamp_character()
RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
BEGIN
    -- The first publication counts.
    IF new.status = 'published' AND new.published_at IS NULL THEN
        new.published_at := clock_timestamp();
    END IF;
    RETURN new;
END;
$$;
REVOKE ALL ON FUNCTION stamp_character() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION stamp_character() IS 'Trigger: published_at is when a character is first published.';

-- With the caller's rights: a model that the caller may not see is like a missing one.
CREATE FUNCTION check_character_model()
RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM vrm_models AS m WHERE m.id = new.vrm_model_id) THEN
        -- An upsert of a character that wears it already; where one has the id or the slug no other comes to be.
        IF
            tg_op = 'INSERT'
            AND EXISTS (
                SELECT 1
                FROM characters AS c
                WHERE (c.id = new.id OR c.slug = new.slug) AND c.vrm_model_id = new.vrm_model_id
            )
        THEN
            RETURN new;
        END IF;
        RAISE EXCEPTION USING
            ERRCODE = 'foreign_key_violation',
            MESSAGE =
                'insert or update on table "characters" violates foreign key constraint "characters_vrm_model_id_fkey"',
            DETAIL = 'Key is not present in table "vrm_models".',
            CONSTRAINT = 'characters_vrm_model_id_fkey',
            TABLE = 'characters',
            SCHEMA = tg_table_schema;
    END IF;
    RETURN new;
END;
$$;
REVOKE ALL ON FUNCTION check_character_model() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION check_character_model() IS 'Trigger: a character wears a model that its owner may see.';

CREATE TRIGGER characters_immutable
BEFORE UPDATE ON characters
FOR EACH ROW
WHEN ((old.id, old.user_id) IS DISTINCT FROM (new.id, new.user_id))
EXECUTE FUNCTION platform.refuse_change('characters', 'characters_immutable_check', 'id', 'user_id');

CREATE TRIGGER characters_maintain
BEFORE INSERT OR UPDATE ON characters
FOR EACH ROW
EXECUTE FUNCTION platform.maintain_columns(
    '{"conversation_count": 0, "average_rating": null, "rating_count": 0, "rating_sum": 0}',
    '{"created_at": "now", "published_at": null}'
);

-- Before the insert, since the foreign key, which would tell a missing one in other words, comes first afterwards.
CREATE TRIGGER characters_model_insert
BEFORE INSERT ON characters
FOR EACH ROW
WHEN (new.vrm_model_id IS NOT NULL)
EXECUTE FUNCTION check_character_model();

CREATE TRIGGER characters_model
BEFORE UPDATE ON characters
FOR EACH ROW
WHEN (new.vrm_model_id IS DISTINCT FROM old.vrm_model_id AND new.vrm_model_id IS NOT NULL)
EXECUTE FUNCTION check_character_model();

CREATE TRIGGER characters_status
BEFORE UPDATE ON characters
FOR EACH ROW
WHEN (old.status IS DISTINCT FROM new.status)
EXECUTE FUNCTION platform.guard_state(
    'characters', 'characters_status_transition_check', 'status', 'draft',
    'draft>published', 'published>archived', 'published>draft', 'archived>draft'
);

-- After the insert, which an upsert of a character that is there already never comes to.
CREATE TRIGGER characters_status_insert
AFTER INSERT ON characters
FOR EACH ROW
WHEN (new.status <> 'draft')
EXECUTE FUNCTION platform.guard_state('characters', 'characters_status_transition_check', 'status', 'draft');

-- Its name comes after that of the state machine.
CREATE TRIGGER characters_times
BEFORE INSERT OR UPDATE ON characters
FOR EACH ROW
WHEN (new.status = 'published')
EXECUTE FUNCTION stamp_character();

CREATE TRIGGER characters_updated_at
BEFORE UPDATE ON characters
FOR EACH ROW
EXECUTE FUNCTION platform.update_updated_at_column(
    'conversation_count', 'average_rating', 'rating_count', 'rating_sum'
);
