DROP TRIGGER work_tickets_times ON work_tickets;
DROP TRIGGER work_tickets_status_insert ON work_tickets;
DROP TRIGGER work_tickets_status ON work_tickets;
DROP TRIGGER work_tickets_maintain ON work_tickets;
DROP TRIGGER work_tickets_immutable ON work_tickets;
DROP TRIGGER work_tickets_owner ON work_tickets;
DROP FUNCTION stamp_ticket();
