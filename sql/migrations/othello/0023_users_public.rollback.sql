DROP VIEW users_public;
