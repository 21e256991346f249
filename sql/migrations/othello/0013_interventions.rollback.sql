DROP TABLE interventions;
DROP TYPE intervention_status;
DROP TYPE intervention_category;
