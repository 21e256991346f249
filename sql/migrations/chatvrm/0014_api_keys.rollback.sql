DROP VIEW api_keys_public;
DROP TABLE api_keys;
