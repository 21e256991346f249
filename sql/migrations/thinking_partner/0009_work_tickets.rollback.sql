DROP TABLE work_tickets;
