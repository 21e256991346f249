-- depends: 0001_a
INSERT INTO a VALUES (1), (2);
