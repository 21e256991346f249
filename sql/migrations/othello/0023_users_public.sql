-- depends: 0022_current_user_id
-- What a user sees of users: their own row, without the password. It has its owner's rights, since users itself is
-- closed to them.
CREATE VIEW users_public
WITH (security_barrier = TRUE) AS
SELECT
    u.id,
    u.external_id,
    u.email,
    u.username,
    u.full_name,
    u.timezone,
    u.is_active,
    u.created_at,
    u.updated_at
FROM users AS u
WHERE u.id = (SELECT current_user_id());
REVOKE ALL ON users_public FROM PUBLIC, anon, authenticated, service_role;

COMMENT ON VIEW users_public IS 'The caller''s own row of users, without password_hash.';
