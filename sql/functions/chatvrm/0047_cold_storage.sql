-- depends: 0046_archive_old_conversations
-- A worker copies the file and says where it is; a claim is a lease of ten minutes, after which the file is offered
-- again.
CREATE FUNCTION claim_audio_for_cold_storage(p_limit integer DEFAULT 10)
RETURNS SETOF audio_files
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
BEGIN
    RETURN QUERY
    WITH due AS (
        SELECT f.id
        FROM audio_files AS f
        WHERE
            f.cold_at IS NULL
            AND f.created_at < now() - interval '30 days'
            AND coalesce(f.claimed_until < now(), TRUE)
        ORDER BY f.created_at, f.id
        LIMIT least(greatest(coalesce(p_limit, 10), 0), 1000)
        FOR NO KEY UPDATE SKIP LOCKED
    ),

    claimed AS (
        UPDATE audio_files AS f
        SET claimed_until = clock_timestamp() + interval '10 minutes'
        FROM due
        WHERE f.id = due.id
        RETURNING f.*
    )

    SELECT c.* FROM claimed AS c ORDER BY c.created_at, c.id;
END;
$$;
REVOKE ALL ON FUNCTION claim_audio_for_cold_storage(integer) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION claim_audio_for_cold_storage(integer) IS
'Takes audio files older than 30 days that are not in cold storage for ten minutes, oldest first, and returns them.';

CREATE FUNCTION mark_audio_cold(p_id uuid, p_storage_url text)
RETURNS audio_files
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
DECLARE
    v_file audio_files;
BEGIN
    UPDATE audio_files AS f
    SET storage_url = p_storage_url, cold_at = coalesce(f.cold_at, now()), claimed_until = NULL
    WHERE f.id = p_id
    RETURNING f.* INTO v_file;
    IF NOT found THEN
        RAISE EXCEPTION USING
            ERRCODE = 'no_data_found',
            MESSAGE = format('there is no audio file %s', p_id),
            HINT = 'Give the id that claim_audio_for_cold_storage() returned.',
            CONSTRAINT = 'audio_files_pkey',
            TABLE = 'audio_files',
            SCHEMA = current_schema();
    END IF;
    RETURN v_file;
END;
$$;
REVOKE ALL ON FUNCTION mark_audio_cold(uuid, text) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION mark_audio_cold(uuid, text) IS 'Records where in cold storage an audio file is, and returns it.';
