DROP TRIGGER apps_knowledge_base_ids_fkey ON knowledge_bases;
DROP TRIGGER apps_knowledge_base_ids_fkey ON apps;
DROP FUNCTION check_knowledge_base_apps();
DROP FUNCTION check_app_knowledge_bases();
