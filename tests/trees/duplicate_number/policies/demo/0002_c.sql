-- depends: 0001_a
CREATE TABLE b (id integer PRIMARY KEY);
