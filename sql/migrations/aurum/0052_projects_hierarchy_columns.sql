-- depends: 0051_chk_constraints_validate
-- Denormalised, so that a list of tasks needs no joins.
ALTER TABLE projects ADD COLUMN pillar_id uuid;

COMMENT ON COLUMN projects.pillar_id IS 'Maintained by the database: the pillar of the area.';
