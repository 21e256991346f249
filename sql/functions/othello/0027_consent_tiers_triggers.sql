-- depends: 0026_users_triggers
-- What never changes, and what the database keeps. The log of changes is in log_consent_changes.
CREATE TRIGGER consent_tiers_id
BEFORE INSERT ON consent_tiers
FOR EACH ROW
WHEN (NOT platform.is_service())
EXECUTE FUNCTION assign_id('consent_tiers');

CREATE TRIGGER consent_tiers_immutable
BEFORE UPDATE ON consent_tiers
FOR EACH ROW
WHEN ((old.id, old.user_id, old.scope) IS DISTINCT FROM (new.id, new.user_id, new.scope))
EXECUTE FUNCTION platform.refuse_change('consent_tiers', 'consent_tiers_immutable_check', 'id', 'user_id', 'scope');

CREATE TRIGGER consent_tiers_maintain
BEFORE INSERT OR UPDATE ON consent_tiers
FOR EACH ROW
EXECUTE FUNCTION platform.maintain_columns('{}', '{"created_at": "now", "updated_at": "now"}');

CREATE TRIGGER update_consent_tiers_updated_at
BEFORE UPDATE ON consent_tiers
FOR EACH ROW
EXECUTE FUNCTION platform.update_updated_at_column();
