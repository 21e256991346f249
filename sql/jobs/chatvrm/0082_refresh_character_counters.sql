-- depends: 0081_create_message_partitions
-- Every ten minutes: dashboards may be that much behind.
INSERT INTO jobs (name, schedule, command, description)
VALUES (
    'refresh-character-counters',
    '*/10 * * * *',
    format('SELECT %I.refresh_character_counters()', current_schema()),
    'Brings counters of characters with new activity up to date.'
);
