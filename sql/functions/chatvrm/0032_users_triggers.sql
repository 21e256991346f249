-- depends: 0031_inherit_owner
-- Who somebody is comes from Auth0, by way of services; the tier follows the subscription.
CREATE TRIGGER users_authority
BEFORE UPDATE ON users
FOR EACH ROW
WHEN (
    (old.email, old.auth0_id, old.email_verified, old.last_login_at)
    IS DISTINCT FROM (new.email, new.auth0_id, new.email_verified, new.last_login_at)
)
EXECUTE FUNCTION platform.refuse_change_by_user(
    'users', 'users_authority_check', 'email', 'auth0_id', 'email_verified', 'last_login_at'
);

CREATE TRIGGER users_immutable
BEFORE UPDATE ON users
FOR EACH ROW
WHEN (old.id IS DISTINCT FROM new.id)
EXECUTE FUNCTION platform.refuse_change('users', 'users_immutable_check', 'id');

CREATE TRIGGER users_maintain
BEFORE INSERT OR UPDATE ON users
FOR EACH ROW
EXECUTE FUNCTION platform.maintain_columns(
    '{"subscription_tier": "free"}', '{"created_at": "now"}'
);

CREATE TRIGGER users_updated_at
BEFORE UPDATE ON users
FOR EACH ROW
EXECUTE FUNCTION platform.update_updated_at_column();
