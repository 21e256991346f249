-- depends: 0175_expire_insights
-- Weekly; what to do about them is a persons to say.
INSERT INTO jobs (name, schedule, command, description)
VALUES (
    'slow-query-report',
    '0 4 * * 1',
    format('SELECT %I.slow_query_report()', current_schema()),
    'Writes down the statements that took most time.'
);
