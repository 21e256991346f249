DROP FUNCTION keep_deleted();
DROP FUNCTION keep_archived_at();
