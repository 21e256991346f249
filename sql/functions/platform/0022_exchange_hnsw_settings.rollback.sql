DROP FUNCTION exchange_hnsw_settings(text[]);
