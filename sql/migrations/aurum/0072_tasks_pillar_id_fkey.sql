-- depends: 0071_tasks_area_id_fkey
-- As for projects.
ALTER TABLE tasks ADD CONSTRAINT tasks_pillar_id_fkey FOREIGN KEY (pillar_id)
REFERENCES pillars (id) ON DELETE SET NULL NOT VALID;
