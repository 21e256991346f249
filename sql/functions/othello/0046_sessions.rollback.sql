DROP FUNCTION close_session(text);
DROP FUNCTION rotate_session(text);
DROP FUNCTION touch_session(text);
DROP FUNCTION open_session(bigint, inet, text);
DROP FUNCTION session_token_hash(text);
DROP FUNCTION make_session_token();
