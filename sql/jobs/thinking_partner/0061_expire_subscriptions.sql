-- depends: 0060_storage
-- Hourly, so that a cancelled subscription outlives its time by an hour at most.
INSERT INTO jobs (name, schedule, command, description)
VALUES (
    'expire-subscriptions',
    '10 * * * *',
    format('SELECT %I.expire_subscriptions()', current_schema()),
    'Ends cancelled subscriptions whose billing period is over.'
);
