"""Mutants that no test can notice, each with the reason."""

from __future__ import annotations

_OF_THE_TYPE = "the type, numeric with two decimals, ends there as well; the bound keeps NaN out, as this one would"

EQUIVALENT = {
    "aurum: check: projects.projects_actual_hours_spent_check as CHECK "
    "(((actual_hours_spent >= (0)::numeric) AND (actual_hours_spent <= 10000.00)))": _OF_THE_TYPE,
    "aurum: check: user_profiles.user_profiles_total_focus_hours_check as CHECK "
    "(((total_focus_hours >= (0)::numeric) AND (total_focus_hours <= 1000000.00)))": _OF_THE_TYPE,
    "othello: not null: agent_activities.scope": (
        "its expression, `coalesce(…, 'global')`, is never null; NOT NULL tells so to those who read the catalog"
    ),
    "othello: foreign key: messages.messages_user_id_fkey": (
        "the foreign key to its conversation holds the user of a message as well; the document names this one"
    ),
    "othello: foreign key: ethical_validations.ethical_validations_user_id_fkey": (
        "a validation must be about a message or an activity, and the foreign keys to these hold its user as well; the"
        " document names this one"
    ),
}
