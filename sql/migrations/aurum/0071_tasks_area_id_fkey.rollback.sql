ALTER TABLE tasks DROP CONSTRAINT tasks_area_id_fkey;
