DROP FUNCTION promote_personality_schema(uuid);
