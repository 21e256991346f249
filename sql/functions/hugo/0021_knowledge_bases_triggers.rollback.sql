DROP TRIGGER knowledge_bases_updated_at ON knowledge_bases;
DROP TRIGGER knowledge_bases_maintain ON knowledge_bases;
