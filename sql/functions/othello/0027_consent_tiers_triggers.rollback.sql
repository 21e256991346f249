DROP TRIGGER update_consent_tiers_updated_at ON consent_tiers;
DROP TRIGGER consent_tiers_maintain ON consent_tiers;
DROP TRIGGER consent_tiers_immutable ON consent_tiers;
DROP TRIGGER consent_tiers_id ON consent_tiers;
