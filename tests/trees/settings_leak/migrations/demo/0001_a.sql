CREATE TABLE a (id integer PRIMARY KEY);
SET search_path = pg_catalog;
SET SESSION lock_timeout = 1;
