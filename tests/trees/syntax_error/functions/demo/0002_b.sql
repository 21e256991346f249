-- depends: 0001_a
CREATE TABLE b (id integer);
	COMMENT ON TABLE b IS '表'; CREATE TABEL c ();
