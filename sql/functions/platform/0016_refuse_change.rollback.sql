DROP FUNCTION refuse_change_by_user();
DROP FUNCTION refuse_change();
