-- depends: 0048_knowledge_bases_triggers
-- The states of a document.
CREATE TRIGGER documents_owner
BEFORE INSERT ON documents
FOR EACH ROW
WHEN (new.user_id IS NULL)
EXECUTE FUNCTION inherit_owner('documents', 'knowledge_base_id', 'knowledge_bases');

CREATE TRIGGER documents_immutable
BEFORE UPDATE ON documents
FOR EACH ROW
WHEN ((old.id, old.user_id) IS DISTINCT FROM (new.id, new.user_id))
EXECUTE FUNCTION platform.refuse_change('documents', 'documents_immutable_check', 'id', 'user_id');

CREATE TRIGGER documents_maintain_insert
BEFORE INSERT ON documents
FOR EACH ROW
WHEN (new.chunk_count <> 0 OR new.uploaded_at IS DISTINCT FROM now())
EXECUTE FUNCTION platform.maintain_columns('{"chunk_count": 0}', '{"uploaded_at": "now"}');

-- A document may be long: these ask themselves whether there is anything to do.
CREATE TRIGGER documents_maintain_update
BEFORE UPDATE ON documents
FOR EACH ROW
WHEN ((old.chunk_count, old.uploaded_at) IS DISTINCT FROM (new.chunk_count, new.uploaded_at))
EXECUTE FUNCTION platform.maintain_columns('{"chunk_count": 0}', '{"uploaded_at": "now"}');

CREATE TRIGGER documents_status
BEFORE UPDATE ON documents
FOR EACH ROW
WHEN (old.status IS DISTINCT FROM new.status)
EXECUTE FUNCTION platform.guard_state(
    'documents', 'documents_status_transition_check', 'status', 'pending',
    'pending>processing', 'processing>completed', 'processing>failed', 'failed>pending',
    'pending>archived', 'processing>archived', 'completed>archived', 'failed>archived', 'archived>pending'
);

-- After the insert, which an upsert of a document that is there already never comes to.
CREATE TRIGGER documents_status_insert
AFTER INSERT ON documents
FOR EACH ROW
WHEN (new.status <> 'pending')
EXECUTE FUNCTION platform.guard_state('documents', 'documents_status_transition_check', 'status', 'pending');
