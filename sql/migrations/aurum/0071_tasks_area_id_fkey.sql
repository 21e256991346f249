-- depends: 0070_projects_pillar_id_fkey
-- As for projects.
ALTER TABLE tasks ADD CONSTRAINT tasks_area_id_fkey FOREIGN KEY (area_id)
REFERENCES areas (id) ON DELETE SET NULL NOT VALID;
