DROP TRIGGER knowledge_entries_count_move ON knowledge_entries;
DROP TRIGGER knowledge_entries_count_delete ON knowledge_entries;
DROP TRIGGER knowledge_entries_count_insert ON knowledge_entries;
DROP FUNCTION count_knowledge_entries();
