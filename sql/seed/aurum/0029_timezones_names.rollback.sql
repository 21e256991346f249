DELETE FROM timezones;
