-- depends: 0001_a
-- transactional: perhaps
SELECT 1;
