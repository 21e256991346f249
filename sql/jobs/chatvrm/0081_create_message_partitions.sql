-- depends: 0080_functions
-- Daily, though once a month would do: what fails on one day is made on the next, long before it is needed.
INSERT INTO jobs (name, schedule, command, description)
VALUES (
    'create-message-partitions',
    '20 0 * * *',
    format('SELECT %I.create_message_partitions()', current_schema()),
    'Makes the partitions of messages for this month and the three ahead.'
);
