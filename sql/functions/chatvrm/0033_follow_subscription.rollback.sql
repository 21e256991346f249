DROP TRIGGER subscriptions_updated_at ON subscriptions;
DROP TRIGGER subscriptions_tier ON subscriptions;
DROP TRIGGER subscriptions_immutable ON subscriptions;
DROP FUNCTION follow_subscription();
