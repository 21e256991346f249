-- depends: 0059_archived_messages
-- For the workers that sync vectors.
CREATE POLICY knowledge_sync_queue_service_all ON knowledge_sync_queue
FOR ALL TO service_role
USING (TRUE)
WITH CHECK (TRUE);
GRANT SELECT, INSERT, UPDATE, DELETE ON knowledge_sync_queue TO service_role;
