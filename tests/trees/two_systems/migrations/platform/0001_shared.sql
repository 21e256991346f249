CREATE TABLE shared (id integer PRIMARY KEY);
