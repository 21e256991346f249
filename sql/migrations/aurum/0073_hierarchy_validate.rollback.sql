-- Not looked at again, as before.
ALTER TABLE projects
DROP CONSTRAINT projects_pillar_id_fkey;
ALTER TABLE projects ADD CONSTRAINT projects_pillar_id_fkey FOREIGN KEY (pillar_id)
REFERENCES pillars (id) ON DELETE SET NULL NOT VALID;
ALTER TABLE tasks
DROP CONSTRAINT tasks_area_id_fkey,
DROP CONSTRAINT tasks_pillar_id_fkey;
ALTER TABLE tasks
ADD CONSTRAINT tasks_area_id_fkey FOREIGN KEY (area_id) REFERENCES areas (id) ON DELETE SET NULL NOT VALID,
ADD CONSTRAINT tasks_pillar_id_fkey FOREIGN KEY (pillar_id) REFERENCES pillars (id) ON DELETE SET NULL NOT VALID;
