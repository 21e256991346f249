-- depends: 0094_log_changes
-- The text that an embedding was made from, its hash and its lease are the database's: see stale_embeddings().
CREATE FUNCTION forget_embedding_hash()
RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
BEGIN
    -- The old embedding stays until there is a new one: it is nearer to the text than none.
    new.embedding_hash := NULL;
    new.embedding_claimed_until := NULL;
    RETURN new;
END;
$$;
REVOKE ALL ON FUNCTION forget_embedding_hash() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION forget_embedding_hash() IS 'Trigger: a text that changes makes its embedding stale.';
