-- depends: 0176_slow_query_report
-- Monthly.
INSERT INTO jobs (name, schedule, command, description)
VALUES (
    'archive-conversations',
    '0 5 1 * *',
    format('SELECT %I.archive_old_conversations()', current_schema()),
    'Moves old conversations into the archive.'
);
