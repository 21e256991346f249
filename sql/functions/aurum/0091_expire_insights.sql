-- depends: 0090_record_insight_feedback
-- Those that stand and are over.
CREATE FUNCTION expire_insights()
RETURNS integer
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
DECLARE
    v_expired integer;
BEGIN
    UPDATE insights AS i SET is_active = FALSE WHERE i.expires_at <= now() AND i.is_active;
    GET DIAGNOSTICS v_expired = ROW_COUNT;
    RETURN v_expired;
END;
$$;
REVOKE ALL ON FUNCTION expire_insights() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION expire_insights() IS 'Deactivates insights that have expired; how many. A job.';
