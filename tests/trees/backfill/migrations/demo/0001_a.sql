CREATE TABLE a (id integer PRIMARY KEY, note text);
COMMENT ON TABLE a IS 'Rows.';
COMMENT ON COLUMN a.note IS 'What they say.';
