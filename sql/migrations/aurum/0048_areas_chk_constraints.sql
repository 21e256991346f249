-- depends: 0047_project_status_validate
-- The document's constraints under its names, in place of those that said the same or less.
ALTER TABLE areas
-- squawk-ignore ban-drop-constraint
DROP CONSTRAINT areas_importance_check,
ADD CONSTRAINT chk_area_importance CHECK (importance BETWEEN 1 AND 5) NOT VALID;
