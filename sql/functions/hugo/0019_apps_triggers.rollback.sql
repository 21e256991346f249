DROP TRIGGER apps_updated_at ON apps;
