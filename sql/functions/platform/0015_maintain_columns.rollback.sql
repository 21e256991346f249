DROP FUNCTION maintain_columns();
