-- depends: 0080_soft_delete_validate
-- The document drops these before it reads them; here archived has had their contents since the backfill. Applications
-- that still name them fail from here on: it is the one step that they have to be ready for.
DO $$
DECLARE
    v_rows bigint;
BEGIN
    v_rows := (SELECT count(*) FROM journal_entries AS j WHERE j.deleted_at IS NOT NULL AND NOT j.archived);
    IF v_rows > 0 THEN
        RAISE WARNING 'journal_entries: % not deleted, but with a deleted_at, which is dropped', v_rows;
    END IF;
END;
$$;
DROP TRIGGER journal_entries_before_deleted ON journal_entries;
-- squawk-ignore ban-drop-function
DROP FUNCTION keep_deleted();
ALTER TABLE journal_entries
-- squawk-ignore ban-drop-column
DROP COLUMN deleted,
-- squawk-ignore ban-drop-column
DROP COLUMN deleted_at;
