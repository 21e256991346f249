ALTER TABLE tasks DROP CONSTRAINT tasks_pillar_id_fkey;
