-- depends: 0002_b
CREATE TABLE c (m mood DEFAULT 'ok'::mood);
