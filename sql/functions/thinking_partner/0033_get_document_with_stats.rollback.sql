DROP FUNCTION get_document_with_stats(uuid);
