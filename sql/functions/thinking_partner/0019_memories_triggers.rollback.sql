DROP TRIGGER memories_updated_at ON memories;
DROP TRIGGER memories_maintain_update ON memories;
DROP TRIGGER memories_maintain_insert ON memories;
DROP TRIGGER memories_immutable ON memories;
