DROP FUNCTION exact_search_limit(regclass);
