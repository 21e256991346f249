DROP VIEW published_voices;
DROP VIEW published_models;
DROP VIEW published_characters;
