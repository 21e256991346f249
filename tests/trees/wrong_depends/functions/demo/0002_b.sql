-- depends: 0001_x
CREATE TABLE b (id integer PRIMARY KEY);
