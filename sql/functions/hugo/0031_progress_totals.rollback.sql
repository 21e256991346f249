DROP TRIGGER user_progress_count_past ON user_progress;
DROP TRIGGER conversations_count_insert ON conversations;
DROP FUNCTION count_past_progress();
DROP FUNCTION count_new_conversations();
