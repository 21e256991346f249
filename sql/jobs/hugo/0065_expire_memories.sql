-- depends: 0064_archive_conversations
-- Daily at 3 AM UTC, as the document has it.
INSERT INTO jobs (name, schedule, command, description)
VALUES (
    'expire-memories',
    '0 3 * * *',
    format('SELECT %I.expire_user_memories()', current_schema()),
    'Deletes memories past their expiry or their user''s retention.'
);
