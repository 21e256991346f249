-- depends: 0063_close_inactive_conversations
-- Daily at 2 AM UTC, as the document has it.
INSERT INTO jobs (name, schedule, command, description)
VALUES (
    'archive-conversations',
    '0 2 * * *',
    format('SELECT %I.archive_old_conversations()', current_schema()),
    'Archives or deletes conversations closed more than 90 days ago.'
);
