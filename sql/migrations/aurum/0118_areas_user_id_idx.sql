-- depends: 0117_pillars_user_id_idx
-- transactional: false
-- As for pillars.
CREATE INDEX CONCURRENTLY areas_user_id_idx ON areas (user_id, sort_order);
