-- depends: 0002_b
CREATE TABLE a (id integer PRIMARY KEY);
