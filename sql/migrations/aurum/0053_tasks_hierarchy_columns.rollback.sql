ALTER TABLE tasks
DROP COLUMN pillar_id,
DROP COLUMN area_id;
