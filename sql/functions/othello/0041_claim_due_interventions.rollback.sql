DROP FUNCTION claim_due_interventions(integer);
