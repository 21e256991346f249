-- depends: 0118_areas_user_id_idx
-- transactional: false
-- For the foreign key, row-level security and the latest entries.
CREATE INDEX CONCURRENTLY journal_entries_user_id_idx ON journal_entries (user_id, created_at DESC);
