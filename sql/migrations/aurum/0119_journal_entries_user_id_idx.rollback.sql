-- transactional: false
DROP INDEX CONCURRENTLY journal_entries_user_id_idx;
