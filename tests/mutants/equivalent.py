"""Mutants that no test can notice, each with the reason."""

from __future__ import annotations

EQUIVALENT = {
    "othello: not null: agent_activities.scope": (
        "its expression, `coalesce(…, 'global')`, is never null; NOT NULL tells so to those who read the catalog"
    ),
    "othello: foreign key: ethical_validations.ethical_validations_user_id_fkey": (
        "a validation must be about a message or an activity, and the foreign keys to these hold its user as well; the"
        " document names this one"
    ),
}
