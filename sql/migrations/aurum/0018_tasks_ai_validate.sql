-- depends: 0017_tasks_ai_checks
-- Old rows are looked at while everybody reads and writes.
ALTER TABLE tasks
VALIDATE CONSTRAINT tasks_hrm_priority_score_check,
VALIDATE CONSTRAINT tasks_hrm_alignment_score_check,
VALIDATE CONSTRAINT tasks_obstacle_risk_check,
VALIDATE CONSTRAINT tasks_embeddings_check;
