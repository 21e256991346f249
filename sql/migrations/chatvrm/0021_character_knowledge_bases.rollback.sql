DROP TABLE character_knowledge_bases;
