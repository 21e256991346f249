REVOKE SELECT, INSERT, UPDATE, DELETE ON work_tickets FROM authenticated;
REVOKE SELECT, INSERT, UPDATE, DELETE ON work_tickets FROM service_role;
DROP POLICY work_tickets_service_all ON work_tickets;
DROP POLICY work_tickets_user_access ON work_tickets;
