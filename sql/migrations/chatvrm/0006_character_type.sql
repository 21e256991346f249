-- depends: 0005_characters
-- Renaming mode, step 1: the new column, without a default, so that the table is not rewritten and nothing waits.
ALTER TABLE characters ADD COLUMN character_type varchar(50);
COMMENT ON COLUMN characters.character_type IS 'The new name of mode: whichever is written, the other follows.';
