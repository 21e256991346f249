DROP TRIGGER knowledge_entries_queue_update ON knowledge_entries;
DROP TRIGGER knowledge_entries_queue_insert ON knowledge_entries;
DROP FUNCTION set_knowledge_vector(uuid, text, text);
DROP FUNCTION sync_knowledge_to_vector(integer);
DROP FUNCTION queue_new_knowledge();
DROP FUNCTION queue_knowledge_sync();
