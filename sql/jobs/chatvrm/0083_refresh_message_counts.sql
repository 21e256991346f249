-- depends: 0082_refresh_character_counters
-- Every ten minutes, between two runs of refresh-character-counters.
INSERT INTO jobs (name, schedule, command, description)
VALUES (
    'refresh-message-counts',
    '5-59/10 * * * *',
    format('SELECT %I.refresh_message_counts()', current_schema()),
    'Brings message counts of conversations up to date.'
);
