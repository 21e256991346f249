-- depends: 0174_refresh_user_stats
-- Hourly, so that an insight outlives its time by an hour at most.
INSERT INTO jobs (name, schedule, command, description)
VALUES (
    'expire-insights',
    '5 * * * *',
    format('SELECT %I.expire_insights()', current_schema()),
    'Deactivates insights that have expired.'
);
