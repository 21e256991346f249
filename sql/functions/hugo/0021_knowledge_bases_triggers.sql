-- depends: 0020_app_knowledge_bases
-- Counters do not move updated_at: an update that names nothing but entry_count is none of the row's content.
CREATE TRIGGER knowledge_bases_maintain
BEFORE INSERT OR UPDATE ON knowledge_bases
FOR EACH ROW
EXECUTE FUNCTION platform.maintain_columns('{"entry_count": 0}', '{}');

CREATE TRIGGER knowledge_bases_updated_at
BEFORE UPDATE OF
id, kb_id, title, description, app_ids, owner_org, version, parent_kb_id, is_active, created_at, updated_at
ON knowledge_bases
FOR EACH ROW
EXECUTE FUNCTION platform.update_updated_at_column('entry_count');
