-- depends: 0001_a
-- transactional: false
CREATE INDEX CONCURRENTLY a_id_idx ON a (id) WHERE id > 0;
