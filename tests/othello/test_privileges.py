"""Exactly these privileges and policies, and none beyond: whoever adds one says so here."""

from __future__ import annotations

import pytest

from tests import privileges
from tests.people import Person

READ, APPEND, KEEP, WRITE = "SELECT", "INSERT SELECT", "INSERT SELECT UPDATE", "DELETE INSERT SELECT UPDATE"

# Tables, and the two views that stand for tables with secrets. Nothing for anon. No DELETE, for service_role neither,
# where it would take rows of the append-only logs along.
RELATIONS = {
    "agent_activities": {"authenticated": READ, "service_role": KEEP},
    "archived_conversations": {"authenticated": READ, "service_role": READ},
    "archived_ethical_validations": {"authenticated": READ, "service_role": READ},
    "archived_messages": {"authenticated": READ, "service_role": READ},
    "consent_logs": {"authenticated": READ, "service_role": APPEND},
    "consent_scopes": {"authenticated": READ, "service_role": WRITE},
    "consent_tiers": {"authenticated": WRITE, "service_role": WRITE},
    "conversations": {"authenticated": KEEP, "service_role": KEEP},
    "ethical_validations": {"authenticated": READ, "service_role": APPEND},
    "interventions": {"authenticated": "SELECT UPDATE", "service_role": WRITE},
    "job_runs": {"service_role": READ},
    "jobs": {"service_role": READ},
    "messages": {"authenticated": KEEP, "service_role": KEEP},
    "psychological_profiles": {"authenticated": WRITE, "service_role": WRITE},
    "session_logs": {"service_role": WRITE},
    "session_logs_public": {"authenticated": READ},
    "timezones": {"authenticated": READ, "service_role": WRITE},
    "user_preferences": {"authenticated": WRITE, "service_role": WRITE},
    "users": {"service_role": WRITE},
    "users_public": {"authenticated": READ},
}

USERS_FUNCTIONS = {
    "current_user_id()",
    "effective_tier(bigint, text)",
    "is_preference_value(text, text)",
    "merge_json(jsonb, jsonb)",
    "merge_traits(jsonb)",
    "override_validation(bigint, text)",
    "pending_suggestions(integer)",
    "respond_to_activity(bigint, consent_action, text)",
    "soft_delete_conversation(bigint)",
    "soft_delete_user(bigint)",
}
SERVICE_FUNCTIONS = {
    "archive_inactive_conversations(interval)",
    "claim_due_interventions(integer)",
    "close_session(text)",
    "expire_inactive_sessions(interval, interval)",
    "is_password_hash(text)",
    "make_session_token()",
    "open_session(bigint, inet, text)",
    "rotate_session(text)",
    "session_token_hash(text)",
    "touch_session(text)",
}

# Each with its role and command: r, a, w and d are SELECT, INSERT, UPDATE and DELETE, * is all of them.
POLICIES = {
    "agent_activities_service_all": ("agent_activities", "service_role", "*"),
    "agent_activities_user_read": ("agent_activities", "authenticated", "r"),
    "archived_conversations_service_read": ("archived_conversations", "service_role", "r"),
    "archived_conversations_user_read": ("archived_conversations", "authenticated", "r"),
    "archived_ethical_validations_service_read": ("archived_ethical_validations", "service_role", "r"),
    "archived_ethical_validations_user_read": ("archived_ethical_validations", "authenticated", "r"),
    "archived_messages_service_read": ("archived_messages", "service_role", "r"),
    "archived_messages_user_read": ("archived_messages", "authenticated", "r"),
    "consent_logs_service_all": ("consent_logs", "service_role", "*"),
    "consent_logs_user_read": ("consent_logs", "authenticated", "r"),
    "consent_scopes_read": ("consent_scopes", "authenticated", "r"),
    "consent_scopes_service_all": ("consent_scopes", "service_role", "*"),
    "consent_tiers_service_all": ("consent_tiers", "service_role", "*"),
    "consent_tiers_user_access": ("consent_tiers", "authenticated", "*"),
    "conversations_service_all": ("conversations", "service_role", "*"),
    "conversations_user_access": ("conversations", "authenticated", "*"),
    "ethical_validations_service_all": ("ethical_validations", "service_role", "*"),
    "ethical_validations_user_read": ("ethical_validations", "authenticated", "r"),
    "interventions_service_all": ("interventions", "service_role", "*"),
    "interventions_user_access": ("interventions", "authenticated", "*"),
    "job_runs_service_read": ("job_runs", "service_role", "r"),
    "jobs_service_read": ("jobs", "service_role", "r"),
    "messages_service_all": ("messages", "service_role", "*"),
    "messages_user_access": ("messages", "authenticated", "*"),
    "psychological_profiles_service_all": ("psychological_profiles", "service_role", "*"),
    "psychological_profiles_user_access": ("psychological_profiles", "authenticated", "*"),
    "session_logs_service_all": ("session_logs", "service_role", "*"),
    "timezones_read": ("timezones", "authenticated", "r"),
    "timezones_service_all": ("timezones", "service_role", "*"),
    "user_preferences_service_all": ("user_preferences", "service_role", "*"),
    "user_preferences_user_access": ("user_preferences", "authenticated", "*"),
    "users_service_all": ("users", "service_role", "*"),
}


@pytest.mark.rule("OTH-25", "accepts")
def test_privileges_on_tables_views_and_sequences(db: Person) -> None:
    assert privileges.on_relations(db) == RELATIONS
    assert privileges.on_columns(db) == []


def test_schema_privileges(db: Person) -> None:
    assert privileges.on_schema(db) == {(role, "USAGE", False) for role in ("anon", "authenticated", "service_role")}


def test_function_privileges(db: Person) -> None:
    found = privileges.on_functions(db)
    assert found == {"authenticated": USERS_FUNCTIONS, "service_role": USERS_FUNCTIONS | SERVICE_FUNCTIONS}


def test_definer_functions(db: Person) -> None:
    """These run with the owner's rights, so each must ask for itself who calls; none is added unnoticed."""
    called, triggers = privileges.definers(db)
    assert called == {
        "archive_inactive_conversations",
        "current_user_id",
        "override_validation",
        "respond_to_activity",
        "soft_delete_conversation",
        "soft_delete_user",
    }
    assert triggers == {
        "assign_id",
        "end_deleted_user",
        "hide_messages",
        "initialize_consent_tiers",
        "lock_own_consent",
        "log_consent_change",
        "order_validations",
        "refuse_deleted_conversation",
    }


@pytest.mark.rule("OTH-25", "refuses")
def test_policies(db: Person) -> None:
    assert privileges.policies(db) == POLICIES
