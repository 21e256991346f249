-- depends: 0083_refresh_message_counts
-- Weekly.
INSERT INTO jobs (name, schedule, command, description)
VALUES (
    'archive-old-conversations',
    '30 1 * * 0',
    format('SELECT %I.archive_old_conversations()', current_schema()),
    'Moves conversations that ended more than six months ago into the archive.'
);
