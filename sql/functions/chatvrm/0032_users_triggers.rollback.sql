DROP TRIGGER users_updated_at ON users;
DROP TRIGGER users_maintain ON users;
DROP TRIGGER users_immutable ON users;
DROP TRIGGER users_authority ON users;
