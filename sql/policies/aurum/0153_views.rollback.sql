REVOKE SELECT ON
embedding_coverage, embedding_backlog, storage_growth, vector_index_usage, statistics_cache_usage, user_engagement
FROM service_role;
REVOKE SELECT ON my_hierarchy FROM authenticated;
