DROP FUNCTION claim_pending_documents(integer);
