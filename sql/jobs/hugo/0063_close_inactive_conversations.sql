-- depends: 0062_functions
-- Before archive-conversations, which looks at what is closed.
INSERT INTO jobs (name, schedule, command, description)
VALUES (
    'close-inactive-conversations',
    '0 1 * * *',
    format('SELECT %I.close_inactive_conversations()', current_schema()),
    'Closes conversations without a message for 30 days.'
);
