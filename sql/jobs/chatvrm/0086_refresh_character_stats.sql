-- depends: 0085_roll_up_analytics
-- Daily.
INSERT INTO jobs (name, schedule, command, description)
VALUES (
    'refresh-character-stats',
    '40 0 * * *',
    format('SELECT %I.refresh_character_stats()', current_schema()),
    'Brings the statistics of characters up to date.'
);
