-- depends: 0052_chunks
-- Tickets of one's own projects.
CREATE POLICY work_tickets_user_access ON work_tickets
FOR ALL TO authenticated
USING (owner_id = (SELECT current_user_id()))
WITH CHECK (owner_id = (SELECT current_user_id()));

CREATE POLICY work_tickets_service_all ON work_tickets
FOR ALL TO service_role
USING (TRUE)
WITH CHECK (TRUE);
GRANT SELECT, INSERT, UPDATE, DELETE ON work_tickets TO service_role;
GRANT SELECT, INSERT, UPDATE, DELETE ON work_tickets TO authenticated;
