DROP VIEW user_engagement;
DROP VIEW statistics_cache_usage;
DROP VIEW vector_index_usage;
DROP VIEW storage_growth;
DROP VIEW embedding_backlog;
