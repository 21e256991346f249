-- depends: 0001_a
CREATE TABLE b (id integer PRIMARY KEY);
SELECT pg_sleep(30);
