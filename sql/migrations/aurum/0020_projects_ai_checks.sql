-- depends: 0019_projects_ai
-- As for journal_entries.
ALTER TABLE projects
ADD CONSTRAINT projects_hrm_coherence_score_check CHECK (hrm_coherence_score BETWEEN 0 AND 1) NOT VALID,
ADD CONSTRAINT projects_hrm_health_score_check CHECK (hrm_health_score BETWEEN 0 AND 1) NOT VALID,
ADD CONSTRAINT projects_estimated_hours_check CHECK (estimated_hours >= 0) NOT VALID,
-- NaN is greater than any number.
ADD CONSTRAINT projects_actual_hours_spent_check CHECK (actual_hours_spent BETWEEN 0 AND 9999.99) NOT VALID,
ADD CONSTRAINT projects_combined_embedding_check CHECK (
    vector_norm(combined_embedding) BETWEEN 1e-15 AND 1e15
) NOT VALID;
