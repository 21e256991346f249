ALTER TABLE projects
DROP CONSTRAINT chk_project_status,
ADD CONSTRAINT chk_project_status CHECK (
    status IN ('not_started', 'in_progress', 'completed', 'on_hold', 'cancelled')
) NOT VALID;
