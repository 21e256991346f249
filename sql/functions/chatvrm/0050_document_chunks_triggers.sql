-- depends: 0049_documents_triggers
-- A chunk belongs to the owner of its document and stays there.
-- Also where users state the owner: else a UNIQUE column would tell them whether another's document has a chunk,
-- before the foreign key refuses it.
CREATE TRIGGER document_chunks_owner
BEFORE INSERT ON document_chunks
FOR EACH ROW
WHEN (new.user_id IS NULL OR NOT platform.is_service())
EXECUTE FUNCTION inherit_owner('document_chunks', 'document_id', 'documents');

CREATE TRIGGER document_chunks_immutable
BEFORE UPDATE ON document_chunks
FOR EACH ROW
WHEN ((old.id, old.document_id, old.user_id) IS DISTINCT FROM (new.id, new.document_id, new.user_id))
EXECUTE FUNCTION platform.refuse_change(
    'document_chunks', 'document_chunks_immutable_check', 'id', 'document_id', 'user_id'
);

-- Rows come in numbers, and nearly all with the present time: these ask themselves whether there is anything to do.
CREATE TRIGGER document_chunks_maintain_insert
BEFORE INSERT ON document_chunks
FOR EACH ROW
WHEN (new.created_at IS DISTINCT FROM now() AND NOT platform.is_service())
EXECUTE FUNCTION platform.maintain_columns('{}', '{"created_at": "now"}');

CREATE TRIGGER document_chunks_maintain_update
BEFORE UPDATE ON document_chunks
FOR EACH ROW
WHEN (old.created_at IS DISTINCT FROM new.created_at AND NOT platform.is_service())
EXECUTE FUNCTION platform.maintain_columns('{}', '{"created_at": "now"}');
