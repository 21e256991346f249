-- depends: 0029_get_session_messages
-- The states of processing, and what stands beside them. A worker may die: what it has taken is its for ten minutes.
CREATE FUNCTION stamp_document()
RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
BEGIN
    IF new.processing_status <> 'completed' THEN
        new.processed_at := NULL;
    ELSIF tg_op = 'UPDATE' THEN
        new.processed_at := coalesce(old.processed_at, clock_timestamp());
    ELSE
        new.processed_at := coalesce(new.processed_at, clock_timestamp());
    END IF;
    IF old.processing_status = 'failed' AND new.processing_status <> 'failed' THEN
        new.error_message := NULL;
    END IF;
    IF new.processing_status <> 'processing' THEN
        new.claimed_until := NULL;
    ELSE
        new.claimed_until := coalesce(new.claimed_until, clock_timestamp() + interval '10 minutes');
    END IF;
    RETURN new;
END;
$$;
REVOKE ALL ON FUNCTION stamp_document() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION stamp_document() IS
'Trigger: processed_at, error_message and claimed_until follow processing_status.';

CREATE TRIGGER documents_immutable
BEFORE UPDATE ON documents
FOR EACH ROW
WHEN ((old.id, old.user_id) IS DISTINCT FROM (new.id, new.user_id))
EXECUTE FUNCTION platform.refuse_change('documents', 'documents_immutable_check', 'id', 'user_id');

CREATE TRIGGER documents_maintain
BEFORE INSERT OR UPDATE ON documents
FOR EACH ROW
EXECUTE FUNCTION platform.maintain_columns('{}', '{"created_at": "now"}');

CREATE TRIGGER documents_processing_status
BEFORE UPDATE ON documents
FOR EACH ROW
WHEN (old.processing_status IS DISTINCT FROM new.processing_status)
EXECUTE FUNCTION platform.guard_state(
    'documents', 'documents_processing_status_transition_check', 'processing_status', 'pending',
    'pending>processing', 'processing>completed', 'processing>failed', 'failed>pending'
);

-- After the insert, which an upsert of a document that is there already never comes to.
CREATE TRIGGER documents_processing_status_insert
AFTER INSERT ON documents
FOR EACH ROW
WHEN (new.processing_status <> 'pending')
EXECUTE FUNCTION platform.guard_state(
    'documents', 'documents_processing_status_transition_check', 'processing_status', 'pending'
);

-- Its name comes after that of the state machine.
CREATE TRIGGER documents_times
BEFORE INSERT OR UPDATE ON documents
FOR EACH ROW
EXECUTE FUNCTION stamp_document();
