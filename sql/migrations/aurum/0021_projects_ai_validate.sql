-- depends: 0020_projects_ai_checks
-- Old rows are looked at while everybody reads and writes.
ALTER TABLE projects
VALIDATE CONSTRAINT projects_hrm_coherence_score_check,
VALIDATE CONSTRAINT projects_hrm_health_score_check,
VALIDATE CONSTRAINT projects_estimated_hours_check,
VALIDATE CONSTRAINT projects_actual_hours_spent_check,
VALIDATE CONSTRAINT projects_combined_embedding_check;
