-- depends: 0006_character_type
-- Step 2: whichever of the two is written, the other follows. From here on a default would contradict a writer who
-- names the other column only, so the trigger supplies it.
CREATE FUNCTION sync_character_type()
RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
BEGIN
    IF tg_op = 'INSERT' THEN
        new.mode := coalesce(new.mode, new.character_type, 'agentic');
        new.character_type := coalesce(new.character_type, new.mode);
    ELSIF new.mode IS DISTINCT FROM old.mode AND new.character_type IS NOT DISTINCT FROM old.character_type THEN
        new.character_type := new.mode;
    ELSIF new.mode IS NOT DISTINCT FROM old.mode THEN
        -- Also where neither is written: a new server may have written its column alone before this trigger came.
        new.mode := coalesce(new.character_type, new.mode);
    END IF;
    IF new.mode <> new.character_type THEN
        RAISE EXCEPTION USING
            ERRCODE = 'check_violation',
            MESSAGE = format(
                'mode "%s" and character_type "%s" are the same thing', left(new.mode, 50), left(new.character_type, 50)
            ),
            HINT = 'Send character_type only, or the same value for both.',
            CONSTRAINT = 'characters_character_type_check',
            TABLE = 'characters',
            SCHEMA = tg_table_schema;
    END IF;
    RETURN new;
END;
$$;
REVOKE ALL ON FUNCTION sync_character_type() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION sync_character_type() IS 'Trigger: keeps mode and character_type of a character equal.';

CREATE TRIGGER characters_character_type
BEFORE INSERT OR UPDATE ON characters
FOR EACH ROW
EXECUTE FUNCTION sync_character_type();

-- squawk-ignore ban-drop-default
ALTER TABLE characters ALTER COLUMN mode DROP DEFAULT;
