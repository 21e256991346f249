-- depends: 0002_rows
ALTER TABLE a ADD COLUMN note text;
