-- depends: 0007_sync_character_type
-- Step 3: rows from before the trigger. Where a new server wrote the new column only, the trigger lets the old follow.
UPDATE characters
SET character_type = coalesce(character_type, mode)
WHERE character_type IS DISTINCT FROM mode;
