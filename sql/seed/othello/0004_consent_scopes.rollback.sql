DELETE FROM consent_scopes
WHERE scope IN ('global', 'scheduling', 'communication', 'health', 'finance', 'social', 'goal_coaching');
