DROP FUNCTION effective_tier(bigint, text);
