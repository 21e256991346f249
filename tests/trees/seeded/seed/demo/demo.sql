INSERT INTO a SELECT generate_series(101, 100 + 5 * current_setting('companion.scale')::integer) ON CONFLICT DO NOTHING;
