DROP TRIGGER time_entries_entity ON time_entries;
DROP TRIGGER insights_entity ON insights;
DROP FUNCTION remove_of_entity();
DROP FUNCTION check_entity();
