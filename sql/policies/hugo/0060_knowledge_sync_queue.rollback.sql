REVOKE SELECT, INSERT, UPDATE, DELETE ON knowledge_sync_queue FROM service_role;
DROP POLICY knowledge_sync_queue_service_all ON knowledge_sync_queue;
