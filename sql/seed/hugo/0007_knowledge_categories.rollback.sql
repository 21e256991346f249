DELETE FROM knowledge_categories
WHERE category IN ('principles', 'techniques', 'examples');
