ALTER TABLE projects DROP CONSTRAINT projects_pillar_id_fkey;
