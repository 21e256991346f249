ALTER TABLE areas
DROP CONSTRAINT chk_area_importance,
ADD CONSTRAINT areas_importance_check CHECK (importance >= 1 AND importance <= 5);
