DROP FUNCTION forget_embedding_hash();
