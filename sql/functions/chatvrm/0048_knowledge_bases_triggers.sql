-- depends: 0047_cold_storage
-- A knowledge base stays with its owner, and a link joins what belongs to one owner.
CREATE TRIGGER knowledge_bases_immutable
BEFORE UPDATE ON knowledge_bases
FOR EACH ROW
WHEN ((old.id, old.user_id) IS DISTINCT FROM (new.id, new.user_id))
EXECUTE FUNCTION platform.refuse_change('knowledge_bases', 'knowledge_bases_immutable_check', 'id', 'user_id');

CREATE TRIGGER knowledge_bases_maintain
BEFORE INSERT OR UPDATE ON knowledge_bases
FOR EACH ROW
EXECUTE FUNCTION platform.maintain_columns('{"document_count": 0, "total_chunks": 0}', '{"created_at": "now"}');

CREATE TRIGGER knowledge_bases_updated_at
BEFORE UPDATE ON knowledge_bases
FOR EACH ROW
EXECUTE FUNCTION platform.update_updated_at_column('document_count', 'total_chunks');

-- Also where users state the owner: else the primary key would tell them what another's character is linked to, before
-- the foreign key refuses it.
CREATE TRIGGER character_knowledge_bases_owner
BEFORE INSERT ON character_knowledge_bases
FOR EACH ROW
WHEN (new.user_id IS NULL OR NOT platform.is_service())
EXECUTE FUNCTION inherit_owner('character_knowledge_bases', 'character_id', 'characters');

CREATE TRIGGER character_knowledge_bases_immutable
BEFORE UPDATE ON character_knowledge_bases
FOR EACH ROW
WHEN (
    (old.character_id, old.knowledge_base_id, old.user_id)
    IS DISTINCT FROM (new.character_id, new.knowledge_base_id, new.user_id)
)
EXECUTE FUNCTION platform.refuse_change(
    'character_knowledge_bases', 'character_knowledge_bases_immutable_check',
    'character_id', 'knowledge_base_id', 'user_id'
);
