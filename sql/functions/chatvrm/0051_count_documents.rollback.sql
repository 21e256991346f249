DROP TRIGGER documents_count_move ON documents;
DROP TRIGGER documents_count_delete ON documents;
DROP TRIGGER documents_count_insert ON documents;
DROP FUNCTION count_documents();
