DROP FUNCTION guard_state();
