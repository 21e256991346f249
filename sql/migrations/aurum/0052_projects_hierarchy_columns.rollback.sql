ALTER TABLE projects DROP COLUMN pillar_id;
