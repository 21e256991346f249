DROP TABLE knowledge_sync_queue;
