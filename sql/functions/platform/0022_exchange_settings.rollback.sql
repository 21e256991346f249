DROP FUNCTION exchange_settings(text[], text[]);
