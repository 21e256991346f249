DROP TRIGGER voice_configs_updated_at ON voice_configs;
DROP TRIGGER voice_configs_immutable ON voice_configs;
DROP TRIGGER voice_configs_owner ON voice_configs;
