ALTER TABLE journal_entries
ADD COLUMN deleted boolean DEFAULT FALSE,
ADD COLUMN deleted_at timestamptz;
UPDATE journal_entries
SET deleted = archived, deleted_at = archived_at
WHERE archived;
CREATE FUNCTION keep_deleted()
RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
BEGIN
    IF tg_op = 'INSERT' OR (new.deleted, new.deleted_at) IS DISTINCT FROM (old.deleted, old.deleted_at)
        OR (new.archived, new.archived_at) IS NOT DISTINCT FROM (old.archived, old.archived_at)
    THEN
        new.archived := coalesce(new.deleted, FALSE);
        new.archived_at := CASE WHEN new.deleted THEN coalesce(new.deleted_at, new.updated_at, now()) END;
    ELSE
        new.deleted := new.archived;
        new.deleted_at := new.archived_at;
    END IF;
    RETURN new;
END;
$$;
REVOKE ALL ON FUNCTION keep_deleted() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION keep_deleted() IS 'Trigger, for a while: archived follows deleted, and the other way round.';

CREATE TRIGGER journal_entries_before_deleted
BEFORE INSERT OR UPDATE ON journal_entries
FOR EACH ROW
EXECUTE FUNCTION keep_deleted();
