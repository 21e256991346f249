-- depends: 0004_consent_scopes
-- Whatever the password library, its result has one of these shapes; what a person types has none of them.
CREATE FUNCTION is_password_hash(p_value text)
RETURNS boolean
LANGUAGE sql
IMMUTABLE PARALLEL SAFE
-- PHC: argon2, scrypt, pbkdf2 (passlib's spelling too).
RETURN p_value ~ (
    '^[$](argon2(id|i|d)[$](v=[0-9]+[$])?m=[0-9]+,t=[0-9]+,p=[0-9]+|scrypt[$]ln=[0-9]+,r=[0-9]+,p=[0-9]+'
    || '|pbkdf2(-sha(1|256|512))?[$](i=)?[0-9]+(,l=[0-9]+)?)[$][A-Za-z0-9+/.=_-]{11,}[$][A-Za-z0-9+/.=_-]{16,}$'
)
-- crypt: bcrypt (passlib's of a sha256 too), scrypt.
OR p_value ~ '^[$]2[abxy][$][0-9]{2}[$][./A-Za-z0-9]{53}$'
OR p_value ~ (
    '^[$]bcrypt-sha256[$](v=2,t=2[abxy],r=[0-9]{1,2}|2[abxy],[0-9]{1,2})'
    || '[$][./A-Za-z0-9]{22}[$][./A-Za-z0-9]{31}$'
)
OR p_value ~ '^[$]7[$][./A-Za-z0-9]{11,}[$][./A-Za-z0-9]{43}$'
-- Django.
OR p_value ~ '^pbkdf2_sha(1|256)[$][0-9]+[$][A-Za-z0-9]{8,}[$][A-Za-z0-9+/=]{27,}$'
OR p_value ~ (
    '^argon2[$]argon2(id|i|d)[$](v=[0-9]+[$])?m=[0-9]+,t=[0-9]+,p=[0-9]+'
    || '[$][A-Za-z0-9+/=]{11,}[$][A-Za-z0-9+/=]{16,}$'
)
OR p_value ~ '^bcrypt(_sha256)?[$][$]2[abxy][$][0-9]{2}[$][./A-Za-z0-9]{53}$'
OR p_value ~ '^scrypt[$][0-9]+[$][A-Za-z0-9]{8,}[$][0-9]+[$][0-9]+[$][A-Za-z0-9+/=]{43,}$'
-- Werkzeug.
OR p_value ~ '^scrypt:[0-9]+:[0-9]+:[0-9]+[$][A-Za-z0-9]{8,}[$][0-9a-f]{64,}$'
OR p_value ~ '^pbkdf2:sha(1|256|512):[0-9]+[$][A-Za-z0-9]{8,}[$][0-9a-f]{40,}$';
REVOKE ALL ON FUNCTION is_password_hash(text) FROM PUBLIC, anon, authenticated, service_role;

COMMENT ON FUNCTION is_password_hash(text) IS
'Whether a text is a password hash: argon2, bcrypt, scrypt or pbkdf2 in PHC, crypt, Django or Werkzeug form.';
