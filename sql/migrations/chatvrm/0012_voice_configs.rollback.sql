DROP TABLE voice_configs;
