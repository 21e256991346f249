DROP FUNCTION decay_memory_importance();
