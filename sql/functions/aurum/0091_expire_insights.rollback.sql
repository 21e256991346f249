DROP FUNCTION expire_insights();
