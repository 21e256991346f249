DROP FUNCTION claim_due_messages(integer);
