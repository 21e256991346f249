-- depends: 0017_current_user_id
-- Who a person is changes through service_role only; what they do to their own row is theirs.
CREATE TRIGGER users_authority
BEFORE UPDATE ON users
FOR EACH ROW
WHEN (
    (old.id, old.oriva_user_id, old.email, old.subscription_tier)
    IS DISTINCT FROM (new.id, new.oriva_user_id, new.email, new.subscription_tier)
)
EXECUTE FUNCTION platform.refuse_change_by_user(
    'users', 'users_authority_check', 'id', 'oriva_user_id', 'email', 'subscription_tier'
);

CREATE TRIGGER users_maintain
BEFORE UPDATE ON users
FOR EACH ROW
EXECUTE FUNCTION platform.maintain_columns('{}', '{"created_at": "now"}');

CREATE TRIGGER users_updated_at
BEFORE UPDATE ON users
FOR EACH ROW
EXECUTE FUNCTION platform.update_updated_at_column('last_active_at');
