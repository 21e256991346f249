-- depends: 0069_expire_inactive_sessions
-- Monthly, in the night of the first.
INSERT INTO jobs (name, schedule, command, description)
VALUES (
    'archive-inactive-conversations',
    '30 2 1 * *',
    format('SELECT %I.archive_inactive_conversations()', current_schema()),
    'Moves conversations without activity for 12 months to the archive tables.'
);
