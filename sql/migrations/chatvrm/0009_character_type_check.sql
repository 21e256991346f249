-- depends: 0008_character_type_backfill
-- Step 4: new rows are checked from here on, and old ones are not looked at while the table is locked.
ALTER TABLE characters ADD CONSTRAINT characters_character_type_set_check CHECK (character_type IS NOT NULL) NOT VALID;
