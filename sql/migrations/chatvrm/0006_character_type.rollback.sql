ALTER TABLE characters DROP COLUMN character_type;
