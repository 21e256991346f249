ALTER TABLE characters ADD CONSTRAINT characters_character_type_set_check CHECK (character_type IS NOT NULL);
ALTER TABLE characters ALTER COLUMN character_type DROP NOT NULL;
