DROP TABLE consent_tiers;
DROP TYPE consent_tier_level;
