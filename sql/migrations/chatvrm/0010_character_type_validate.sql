-- depends: 0009_character_type_check
-- Step 5: old rows are looked at while everybody reads and writes.
ALTER TABLE characters VALIDATE CONSTRAINT characters_character_type_set_check;
