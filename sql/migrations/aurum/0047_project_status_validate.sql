-- depends: 0046_project_status_backfill
-- Old rows are looked at while everybody reads and writes.
ALTER TABLE projects VALIDATE CONSTRAINT chk_project_status;
