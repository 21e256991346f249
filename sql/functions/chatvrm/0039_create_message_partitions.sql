-- depends: 0038_messages_triggers
-- Writers wait for the lock on messages, not for the one on the default partition: who had been sent there before the
-- month was made would fail. Rows that sit in the default partition move, since a partition is refused whose rows are
-- there. Definer functions: services make no tables. They wait half a second for others at most and are then tried
-- again by the job, long before the month begins.
CREATE FUNCTION create_message_partition(p_month date)
RETURNS boolean
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path FROM CURRENT
SET lock_timeout = '500ms'
AS $$
DECLARE
    c_first CONSTANT date := date_trunc('month', p_month)::date;
    c_from CONSTANT text := c_first || ' 00:00+00';
    c_to CONSTANT text := (c_first + interval '1 month')::date || ' 00:00+00';
    c_name CONSTANT text := to_char(c_first, '"messages_"YYYY_MM');
BEGIN
    IF p_month IS NULL OR NOT p_month BETWEEN '0001-01-01' AND '9999-12-31' THEN
        RAISE EXCEPTION USING
            ERRCODE = 'invalid_parameter_value',
            MESSAGE = format('there is no partition for %s', coalesce(p_month::text, 'no month')),
            HINT = 'Give a date of the years 1 to 9999.';
    ELSIF to_regclass(format('%I.%I', current_schema(), c_name)) IS NOT NULL THEN
        RETURN FALSE;
    END IF;
    -- Its foreign keys lock what they refer to, which whoever begins a conversation and says something in one
    -- transaction has locked before messages: in another order each would wait for the other.
    LOCK TABLE conversations, audio_files, messages IN SHARE ROW EXCLUSIVE MODE;
    IF to_regclass(format('%I.%I', current_schema(), c_name)) IS NOT NULL THEN
        RETURN FALSE;
    END IF;

    EXECUTE format(
        'CREATE TABLE %I (LIKE messages INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING COMPRESSION)', c_name
    );
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', c_name);
    EXECUTE format('REVOKE ALL ON %I FROM PUBLIC, anon, authenticated, service_role', c_name);
    EXECUTE format(
        'WITH moved AS (DELETE FROM messages_default AS m WHERE m.created_at >= %L AND m.created_at < %L RETURNING m.*)'
        ' INSERT INTO %I SELECT * FROM moved',
        c_from, c_to, c_name
    );
    EXECUTE format('ALTER TABLE messages ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', c_name, c_from, c_to);
    RETURN TRUE;
END;
$$;
REVOKE ALL ON FUNCTION create_message_partition(date) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION create_message_partition(date) IS
'Makes the partition of messages for the month (UTC) of a date and moves there what is in the default partition; '
'false where it exists.';

CREATE FUNCTION create_message_partitions(p_months_ahead integer DEFAULT 3)
RETURNS integer
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
DECLARE
    c_month CONSTANT date := date_trunc('month', now() AT TIME ZONE 'UTC')::date;
    v_made integer := 0;
BEGIN
    FOR i IN 0..least(coalesce(p_months_ahead, 3), 120) LOOP
        v_made := v_made + create_message_partition((c_month + make_interval(months => i))::date)::integer;
    END LOOP;
    RETURN v_made;
END;
$$;
REVOKE ALL ON FUNCTION create_message_partitions(integer) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION create_message_partitions(integer) IS
'Makes the partitions of messages for this month and those ahead, where they are missing; how many. A job.';
