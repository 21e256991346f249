-- depends: 0110_base_comments
-- transactional: false
-- Phase 4, performance, begins here. Denser than the document's (16, 64), as for ai_conversation_memory.
CREATE INDEX CONCURRENTLY idx_journal_content_embedding ON journal_entries
USING hnsw (content_embedding vector_cosine_ops)
WITH (m = 24, ef_construction = 128);
