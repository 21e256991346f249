DROP FUNCTION stale_embeddings(text, integer);
