ALTER TABLE projects
DROP CONSTRAINT chk_completion_percentage,
DROP CONSTRAINT chk_project_importance,
DROP CONSTRAINT chk_project_priority,
ADD CONSTRAINT projects_importance_check CHECK (importance >= 1 AND importance <= 5),
ADD CONSTRAINT projects_priority_check CHECK (priority IN ('low', 'medium', 'high'));
