-- depends: 0122_projects_embedding_stale_idx
-- Its unique index is what the document's lacks: without one it cannot be refreshed while it is read. It knows nothing
-- of row-level security, so nobody is granted it: users read my_hierarchy.
CREATE MATERIALIZED VIEW hierarchy_view AS
SELECT
    t.id AS task_id,
    t.name AS task_name,
    t.user_id,
    p.id AS project_id,
    p.name AS project_name,
    a.id AS area_id,
    a.name AS area_name,
    pi.id AS pillar_id,
    pi.name AS pillar_name,
    t.status AS task_status,
    t.priority AS task_priority,
    t.due_date,
    t.hrm_priority_score,
    t.hrm_alignment_score
FROM tasks AS t
INNER JOIN projects AS p ON t.project_id = p.id
INNER JOIN areas AS a ON p.area_id = a.id
LEFT JOIN pillars AS pi ON a.pillar_id = pi.id;
REVOKE ALL ON hierarchy_view FROM PUBLIC, anon, authenticated, service_role;

-- squawk-ignore require-concurrent-index-creation
CREATE UNIQUE INDEX hierarchy_view_task_id_key ON hierarchy_view (task_id);
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX idx_hierarchy_view_user ON hierarchy_view (user_id);
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX idx_hierarchy_view_pillar ON hierarchy_view (user_id, pillar_id);

COMMENT ON MATERIALIZED VIEW hierarchy_view IS
'Every task with the names of its project, area and pillar, as of the last refresh (daily).';
