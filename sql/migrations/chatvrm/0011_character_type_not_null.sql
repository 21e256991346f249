-- depends: 0010_character_type_validate
-- Step 6: NOT NULL without looking at the rows again, which the validated check stands for. The expand stage ends here;
-- mode goes in a later release, when no application names it any more.
-- squawk-ignore adding-not-nullable-field
ALTER TABLE characters ALTER COLUMN character_type SET NOT NULL;
-- squawk-ignore ban-drop-constraint
ALTER TABLE characters DROP CONSTRAINT characters_character_type_set_check;
