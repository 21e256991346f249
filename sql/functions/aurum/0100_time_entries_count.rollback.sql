DROP TRIGGER time_entries_count_delete ON time_entries;
DROP TRIGGER time_entries_count_update ON time_entries;
DROP TRIGGER time_entries_count_insert ON time_entries;
