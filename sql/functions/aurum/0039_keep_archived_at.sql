-- depends: 0038_user_stats_ai_validate
-- Phase 3, data quality, begins here. Whichever of the two is written, the other follows. What was archived before
-- there was a time for it was archived when it was last changed, as far as anybody knows.
CREATE FUNCTION keep_archived_at()
RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
BEGIN
    IF tg_op = 'UPDATE' AND new.archived_at IS DISTINCT FROM old.archived_at
        AND new.archived IS NOT DISTINCT FROM old.archived
    THEN
        new.archived := new.archived_at IS NOT NULL;
    END IF;
    new.archived := coalesce(new.archived, FALSE);
    IF NOT new.archived THEN
        new.archived_at := NULL;
    ELSIF tg_op = 'UPDATE' AND old.archived THEN
        new.archived_at := coalesce(new.archived_at, old.archived_at, old.updated_at, old.created_at, now());
    ELSE
        new.archived_at := coalesce(new.archived_at, now());
    END IF;
    RETURN new;
END;
$$;
REVOKE ALL ON FUNCTION keep_archived_at() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION keep_archived_at() IS 'Trigger: archived and archived_at agree, whichever is written.';

-- Until the next files are through, clients still write deleted and deleted_at.
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
