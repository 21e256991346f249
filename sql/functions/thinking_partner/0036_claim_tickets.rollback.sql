DROP FUNCTION claim_tickets(integer);
