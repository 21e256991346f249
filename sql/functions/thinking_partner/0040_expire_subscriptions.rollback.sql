DROP FUNCTION expire_subscriptions();
