-- depends: 0152_functions
-- Users read their own part of the hierarchy; monitoring is for operators.
GRANT SELECT ON my_hierarchy TO authenticated;
GRANT SELECT ON
embedding_coverage, embedding_backlog, storage_growth, vector_index_usage, statistics_cache_usage, user_engagement
TO service_role;
