ALTER TABLE characters ALTER COLUMN mode SET DEFAULT 'agentic';
DROP TRIGGER characters_character_type ON characters;
DROP FUNCTION sync_character_type();
