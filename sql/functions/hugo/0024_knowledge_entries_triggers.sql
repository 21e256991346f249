-- depends: 0023_knowledge_entry_count
-- Being read and being synced is no change of what an entry says, and does not even look at it.
CREATE TRIGGER knowledge_entries_updated_at
BEFORE UPDATE OF
id, knowledge_base_id, title, content, category, tags, section_number, metadata, created_at, updated_at
ON knowledge_entries
FOR EACH ROW
EXECUTE FUNCTION platform.update_updated_at_column(
    'access_count', 'last_accessed_at', 'vector_store_id', 'search_vector'
);
