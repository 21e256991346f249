DROP VIEW my_character_stats;
DROP MATERIALIZED VIEW character_stats;
