-- depends: 0016_tasks_ai
-- As for journal_entries.
ALTER TABLE tasks
ADD CONSTRAINT tasks_hrm_priority_score_check CHECK (hrm_priority_score BETWEEN 0 AND 1) NOT VALID,
ADD CONSTRAINT tasks_hrm_alignment_score_check CHECK (hrm_alignment_score BETWEEN 0 AND 1) NOT VALID,
ADD CONSTRAINT tasks_obstacle_risk_check CHECK (obstacle_risk IN ('low', 'medium', 'high')) NOT VALID,
ADD CONSTRAINT tasks_embeddings_check CHECK (
    coalesce(vector_norm(description_embedding) BETWEEN 1e-15 AND 1e15, TRUE)
    AND coalesce(vector_norm(name_embedding) BETWEEN 1e-15 AND 1e15, TRUE)
) NOT VALID;
