-- depends: 0123_hierarchy_view
-- With its owner's rights, as nobody may read the materialized view; therefore its own filter, and a barrier.
CREATE VIEW my_hierarchy
WITH (security_barrier = TRUE)
AS
SELECT
    h.task_id,
    h.task_name,
    h.user_id,
    h.project_id,
    h.project_name,
    h.area_id,
    h.area_name,
    h.pillar_id,
    h.pillar_name,
    h.task_status,
    h.task_priority,
    h.due_date,
    h.hrm_priority_score,
    h.hrm_alignment_score
FROM hierarchy_view AS h
WHERE h.user_id = (SELECT current_user_id() AS id);
REVOKE ALL ON my_hierarchy FROM PUBLIC, anon, authenticated, service_role;

COMMENT ON VIEW my_hierarchy IS
'The caller''s tasks with the names of project, area and pillar, as of the last refresh.';
