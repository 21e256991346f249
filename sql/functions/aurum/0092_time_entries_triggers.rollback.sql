DROP TRIGGER time_entries_updated_at ON time_entries;
DROP TRIGGER time_entries_maintain ON time_entries;
DROP TRIGGER time_entries_immutable ON time_entries;
DROP TRIGGER time_entries_active ON time_entries;
DROP FUNCTION keep_time_entry_active();
