-- depends: 0031_user_profiles_ai
-- As for tasks.
ALTER TABLE user_profiles
ADD CONSTRAINT user_profiles_user_tier_check CHECK (user_tier IN ('standard', 'premium', 'enterprise')) NOT VALID,
ADD CONSTRAINT user_profiles_longest_streak_check CHECK (longest_streak >= 0) NOT VALID,
ADD CONSTRAINT user_profiles_total_focus_hours_check CHECK (total_focus_hours BETWEEN 0 AND 999999.99) NOT VALID,
ADD CONSTRAINT user_profiles_average_daily_completion_rate_check CHECK (
    average_daily_completion_rate BETWEEN 0 AND 1
) NOT VALID,
ADD CONSTRAINT user_profiles_preferred_working_hours_check CHECK (is_working_hours(preferred_working_hours)) NOT VALID,
ADD CONSTRAINT user_profiles_timezone_fkey FOREIGN KEY (timezone) REFERENCES timezones (name) NOT VALID;
