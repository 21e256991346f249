-- depends: 0058_refuse_parent
-- Triggers with the caller's rights call it, from here on, while this upgrade runs.
GRANT EXECUTE ON FUNCTION refuse_parent(text, text, text, text) TO authenticated, service_role;
