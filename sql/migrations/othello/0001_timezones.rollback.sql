DROP TABLE timezones;
