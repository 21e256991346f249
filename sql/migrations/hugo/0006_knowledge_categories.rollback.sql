DROP TABLE knowledge_categories;
