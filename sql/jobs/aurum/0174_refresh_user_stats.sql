-- depends: 0173_refresh_statistics
-- Daily.
INSERT INTO jobs (name, schedule, command, description)
VALUES (
    'refresh-user-stats',
    '30 3 * * *',
    format('SELECT %I.refresh_user_stats()', current_schema()),
    'Refreshes the figures of users that depend on time.'
);
