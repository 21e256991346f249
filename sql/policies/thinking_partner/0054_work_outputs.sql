-- depends: 0053_work_tickets
-- Users see and create outputs of their tickets; correcting and removing is the service's.
CREATE POLICY work_outputs_user_access ON work_outputs
FOR ALL TO authenticated
USING (owner_id = (SELECT current_user_id()))
WITH CHECK (owner_id = (SELECT current_user_id()));

CREATE POLICY work_outputs_service_all ON work_outputs
FOR ALL TO service_role
USING (TRUE)
WITH CHECK (TRUE);
GRANT SELECT, INSERT, UPDATE, DELETE ON work_outputs TO service_role;
GRANT SELECT, INSERT ON work_outputs TO authenticated;
