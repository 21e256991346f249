-- depends: 0068_functions
-- Hourly, so that a session outlives its time by an hour at most.
INSERT INTO jobs (name, schedule, command, description)
VALUES (
    'expire-inactive-sessions',
    '5 * * * *',
    format('SELECT %I.expire_inactive_sessions()', current_schema()),
    'Ends sessions idle for 30 days, or whose token was not rotated for 90.'
);
