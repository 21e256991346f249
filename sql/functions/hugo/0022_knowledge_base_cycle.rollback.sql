DROP TRIGGER kb_parent_cycle_check ON knowledge_bases;
DROP FUNCTION check_knowledge_base_cycle();
