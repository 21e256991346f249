DROP TRIGGER documents_times ON documents;
DROP TRIGGER documents_processing_status_insert ON documents;
DROP TRIGGER documents_processing_status ON documents;
DROP TRIGGER documents_maintain ON documents;
DROP TRIGGER documents_immutable ON documents;
DROP FUNCTION stamp_document();
