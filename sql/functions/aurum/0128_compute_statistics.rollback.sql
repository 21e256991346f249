DROP FUNCTION compute_statistics(date, text, uuid[]);
