-- A category that entries use is kept from going by its foreign key.
DELETE FROM knowledge_categories
WHERE category IN ('principles', 'techniques', 'examples');
