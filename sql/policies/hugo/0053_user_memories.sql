-- depends: 0052_user_progress
-- Own memories only.
CREATE POLICY um_user_access ON user_memories
FOR ALL TO authenticated
USING (user_id = (SELECT current_user_id()))
WITH CHECK (user_id = (SELECT current_user_id()));

CREATE POLICY user_memories_service_all ON user_memories
FOR ALL TO service_role
USING (TRUE)
WITH CHECK (TRUE);
GRANT SELECT, INSERT, UPDATE, DELETE ON user_memories TO service_role;
GRANT SELECT, INSERT, UPDATE, DELETE ON user_memories TO authenticated;
