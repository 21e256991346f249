DROP TRIGGER update_interventions_updated_at ON interventions;
DROP TRIGGER interventions_times ON interventions;
DROP TRIGGER interventions_status ON interventions;
DROP TRIGGER interventions_maintain ON interventions;
DROP TRIGGER interventions_immutable ON interventions;
DROP TRIGGER interventions_authority ON interventions;
DROP FUNCTION stamp_intervention();
