DROP TRIGGER consent_tiers_log_delete ON consent_tiers;
DROP TRIGGER consent_tiers_log_update ON consent_tiers;
DROP TRIGGER consent_tiers_log_insert ON consent_tiers;
DROP TRIGGER consent_tiers_lock ON consent_tiers;
DROP FUNCTION lock_own_consent();
DROP FUNCTION log_consent_change();
