-- depends: 0003_consent_scopes
-- The seven of the document's section 4.1.
INSERT INTO consent_scopes (scope, description)
VALUES
('global', 'Overall system consent tier; counts where a scope has no active tier of its own.'),
('scheduling', 'Calendar and time management interventions.'),
('communication', 'Message sending, email drafting.'),
('health', 'Wellness nudges, habit tracking.'),
('finance', 'Spending insights, budget suggestions.'),
('social', 'Social interaction coaching.'),
('goal_coaching', 'Aspirations and achievement tracking.');
