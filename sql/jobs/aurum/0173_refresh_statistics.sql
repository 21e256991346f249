-- depends: 0172_refresh_hierarchy_view
-- Daily, after refresh-user-stats, which knows the users.
INSERT INTO jobs (name, schedule, command, description)
VALUES (
    'refresh-statistics',
    '45 3 * * *',
    format('SELECT %I.refresh_all_statistics()', current_schema()),
    'Computes the statistics of all users.'
);
