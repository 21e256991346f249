-- transactional: false
DROP INDEX CONCURRENTLY idx_journal_content_embedding;
