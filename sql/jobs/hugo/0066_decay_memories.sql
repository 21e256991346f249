-- depends: 0065_expire_memories
-- Monthly: a memory loses its decay rate once for each month without access.
INSERT INTO jobs (name, schedule, command, description)
VALUES (
    'decay-memories',
    '0 4 1 * *',
    format('SELECT %I.decay_memory_importance()', current_schema()),
    'Lowers the importance of memories not accessed for 30 days.'
);
