DROP TRIGGER chunks_maintain_update ON chunks;
DROP TRIGGER chunks_maintain_insert ON chunks;
DROP TRIGGER chunks_immutable ON chunks;
DROP TRIGGER chunks_owner ON chunks;
