-- depends: 0084_archive_conversations
-- Daily, when the day (UTC) is over.
INSERT INTO jobs (name, schedule, command, description)
VALUES (
    'roll-up-character-analytics',
    '10 0 * * *',
    format('SELECT %I.roll_up_character_analytics()', current_schema()),
    'Computes the analytics of yesterday.'
);
