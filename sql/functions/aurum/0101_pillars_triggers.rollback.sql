DROP TRIGGER pillars_log ON pillars;
DROP TRIGGER pillars_remove ON pillars;
DROP TRIGGER pillars_updated_at ON pillars;
DROP TRIGGER pillars_maintain_update ON pillars;
DROP TRIGGER pillars_maintain_insert ON pillars;
DROP TRIGGER pillars_immutable ON pillars;
