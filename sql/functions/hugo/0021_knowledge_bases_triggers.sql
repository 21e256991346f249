-- depends: 0020_app_knowledge_bases
-- Counters do not move updated_at.
CREATE TRIGGER knowledge_bases_maintain
BEFORE INSERT OR UPDATE ON knowledge_bases
FOR EACH ROW
EXECUTE FUNCTION platform.maintain_columns('{"entry_count": 0}', '{}');

CREATE TRIGGER knowledge_bases_updated_at
BEFORE UPDATE ON knowledge_bases
FOR EACH ROW
EXECUTE FUNCTION platform.update_updated_at_column('entry_count');
