ALTER TABLE characters DROP CONSTRAINT characters_character_type_set_check;
ALTER TABLE characters ADD CONSTRAINT characters_character_type_set_check CHECK (character_type IS NOT NULL) NOT VALID;
