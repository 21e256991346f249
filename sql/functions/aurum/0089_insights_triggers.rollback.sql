DROP TRIGGER insights_updated_at ON insights;
DROP TRIGGER insights_maintain ON insights;
DROP TRIGGER insights_immutable ON insights;
DROP TRIGGER insights_version ON insights;
DROP TRIGGER insights_superseded ON insights;
DROP FUNCTION keep_superseded();
DROP FUNCTION succeed_insight();
