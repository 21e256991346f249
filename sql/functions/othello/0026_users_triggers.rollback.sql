DROP TRIGGER update_users_updated_at ON users;
DROP TRIGGER users_maintain ON users;
DROP TRIGGER users_immutable ON users;
DROP TRIGGER users_deleted ON users;
DROP TRIGGER users_deleted_at ON users;
DROP TRIGGER users_initialize_consent ON users;
DROP FUNCTION refuse_direct_deletion();
DROP FUNCTION end_deleted_user();
DROP FUNCTION initialize_consent_tiers();
