-- depends: 0014_archived_messages
-- Entries whose vector is missing or out of date. A queue of its own, because a lease on the entry's row would
-- rewrite all of the entry's indexes twice for each sync.
CREATE TABLE knowledge_sync_queue (
    entry_id uuid,
    queued_at timestamptz NOT NULL DEFAULT now(),
    leased_until timestamptz,
    CONSTRAINT knowledge_sync_queue_pkey PRIMARY KEY (entry_id),
    CONSTRAINT knowledge_sync_queue_entry_id_fkey FOREIGN KEY (entry_id)
    REFERENCES knowledge_entries (id) ON DELETE CASCADE
);
ALTER TABLE knowledge_sync_queue ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON knowledge_sync_queue FROM PUBLIC, anon, authenticated, service_role;

CREATE INDEX knowledge_sync_queue_order_idx ON knowledge_sync_queue (queued_at, entry_id);

COMMENT ON TABLE knowledge_sync_queue IS 'Entries new or changed since their vector was last set.';
COMMENT ON COLUMN knowledge_sync_queue.leased_until IS 'Until then a worker has it; afterwards it is offered again.';
