DROP TRIGGER documents_status_insert ON documents;
DROP TRIGGER documents_status ON documents;
DROP TRIGGER documents_maintain_update ON documents;
DROP TRIGGER documents_maintain_insert ON documents;
DROP TRIGGER documents_immutable ON documents;
DROP TRIGGER documents_owner ON documents;
