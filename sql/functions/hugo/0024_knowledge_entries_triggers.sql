-- depends: 0023_knowledge_entry_count
-- Being read and being synced is no change of what an entry says.
CREATE TRIGGER knowledge_entries_updated_at
BEFORE UPDATE ON knowledge_entries
FOR EACH ROW
EXECUTE FUNCTION platform.update_updated_at_column(
    'access_count', 'last_accessed_at', 'vector_store_id', 'search_vector'
);
