DROP TRIGGER work_outputs_maintain ON work_outputs;
DROP TRIGGER work_outputs_immutable ON work_outputs;
DROP TRIGGER work_outputs_owner ON work_outputs;
