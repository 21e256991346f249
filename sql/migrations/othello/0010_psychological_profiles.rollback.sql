DROP TABLE psychological_profiles;
