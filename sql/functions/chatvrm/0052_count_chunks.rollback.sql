DROP TRIGGER document_chunks_count_delete ON document_chunks;
DROP TRIGGER document_chunks_count_insert ON document_chunks;
DROP FUNCTION count_chunks();
