-- depends: 0030_working_hours
-- As for tasks.
ALTER TABLE user_profiles
ADD COLUMN user_tier text NOT NULL DEFAULT 'standard',
ADD COLUMN longest_streak integer NOT NULL DEFAULT 0,
ADD COLUMN total_focus_hours numeric(8, 2) NOT NULL DEFAULT 0,
ADD COLUMN average_daily_completion_rate numeric(3, 2) NOT NULL DEFAULT 0,
ADD COLUMN preferred_working_hours jsonb NOT NULL DEFAULT '{"start": "09:00", "end": "17:00"}',
ADD COLUMN timezone text NOT NULL DEFAULT 'UTC',
ADD COLUMN ai_onboarding_completed boolean NOT NULL DEFAULT FALSE,
ADD COLUMN ai_features_enabled boolean NOT NULL DEFAULT TRUE,
ADD COLUMN last_activity_at timestamptz;

COMMENT ON COLUMN user_profiles.user_tier IS 'standard, premium or enterprise; changed by service_role only.';
COMMENT ON COLUMN user_profiles.preferred_working_hours IS '{"start": "09:00", "end": "17:00"}.';
