-- depends: 0018_users_triggers
-- Every update counts: an app has no counters.
CREATE TRIGGER apps_updated_at
BEFORE UPDATE ON apps
FOR EACH ROW
EXECUTE FUNCTION platform.update_updated_at_column();
