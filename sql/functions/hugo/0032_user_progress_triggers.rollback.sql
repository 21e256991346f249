DROP TRIGGER user_progress_updated_at ON user_progress;
DROP TRIGGER user_progress_maintain ON user_progress;
DROP TRIGGER user_progress_immutable ON user_progress;
DROP FUNCTION update_last_updated_at_column();
