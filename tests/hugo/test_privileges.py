"""Exactly these privileges and policies, and none beyond: whoever adds one says so here."""

from __future__ import annotations

import pytest

from tests import privileges
from tests.people import Person

READ, WRITE = "SELECT", "DELETE INSERT SELECT UPDATE"
SERVICE = {"service_role": WRITE}

RELATIONS = {
    "apps": {"anon": READ, "authenticated": READ, **SERVICE},
    "archived_conversations": {"authenticated": "DELETE SELECT", **SERVICE},
    "archived_messages": {"authenticated": "DELETE SELECT", **SERVICE},
    "conversations": {"authenticated": WRITE, **SERVICE},
    "job_runs": {"service_role": READ},
    "jobs": {"service_role": READ},
    "knowledge_bases": {"authenticated": READ, **SERVICE},
    "knowledge_categories": {"authenticated": READ, **SERVICE},
    "knowledge_entries": {"authenticated": READ, **SERVICE},
    "knowledge_sync_queue": SERVICE,
    "messages": {"authenticated": WRITE, **SERVICE},
    "personality_schemas": {"authenticated": READ, **SERVICE},
    "user_memories": {"authenticated": WRITE, **SERVICE},
    "user_progress": {"authenticated": WRITE, **SERVICE},
    "users": {"authenticated": "SELECT UPDATE", **SERVICE},
}

USERS_FUNCTIONS = {
    "close_conversation(uuid)",
    "current_user_id()",
    "get_chat_context(text, uuid)",
    "get_user_context(uuid, text)",
    "knowledge_base_is_active(uuid)",
    "prepare_statements()",
    "search_knowledge(text, text, integer)",
}
SERVICE_FUNCTIONS = {
    "archive_old_conversations()",
    "close_inactive_conversations()",
    "decay_memory_importance()",
    "expire_user_memories()",
    "increment_ke_access(uuid)",
    "increment_knowledge_access(uuid[])",
    "knowledge_content_hash(text, text)",
    "knowledge_search_vector(text, text, text[])",
    "promote_personality_schema(uuid)",
    "set_knowledge_vector(uuid, text, text)",
    "sync_knowledge_to_vector(integer)",
}

# Each with its role and command: r and w are SELECT and UPDATE, * is all of them.
POLICIES = {
    "apps_public_read": ("apps", "anon authenticated", "r"),
    "apps_service_all": ("apps", "service_role", "*"),
    "archived_conversations_service_all": ("archived_conversations", "service_role", "*"),
    "archived_conversations_user_access": ("archived_conversations", "authenticated", "*"),
    "archived_messages_service_all": ("archived_messages", "service_role", "*"),
    "archived_messages_user_access": ("archived_messages", "authenticated", "*"),
    "conversations_service_all": ("conversations", "service_role", "*"),
    "conversations_user_access": ("conversations", "authenticated", "*"),
    "job_runs_service_read": ("job_runs", "service_role", "r"),
    "jobs_service_read": ("jobs", "service_role", "r"),
    "kb_read_active": ("knowledge_bases", "authenticated", "r"),
    "ke_read_active": ("knowledge_entries", "authenticated", "r"),
    "knowledge_bases_service_all": ("knowledge_bases", "service_role", "*"),
    "knowledge_categories_read": ("knowledge_categories", "authenticated", "r"),
    "knowledge_categories_service_all": ("knowledge_categories", "service_role", "*"),
    "knowledge_entries_service_all": ("knowledge_entries", "service_role", "*"),
    "knowledge_sync_queue_service_all": ("knowledge_sync_queue", "service_role", "*"),
    "messages_service_all": ("messages", "service_role", "*"),
    "messages_user_access": ("messages", "authenticated", "*"),
    "personality_schemas_service_all": ("personality_schemas", "service_role", "*"),
    "ps_read_active": ("personality_schemas", "authenticated", "r"),
    "um_user_access": ("user_memories", "authenticated", "*"),
    "up_user_access": ("user_progress", "authenticated", "*"),
    "user_memories_service_all": ("user_memories", "service_role", "*"),
    "user_progress_service_all": ("user_progress", "service_role", "*"),
    "users_select_own": ("users", "authenticated", "r"),
    "users_service_all": ("users", "service_role", "*"),
    "users_update_own": ("users", "authenticated", "w"),
}


@pytest.mark.rule("HUGO-09", "accepts")
@pytest.mark.rule("HUGO-15", "accepts")
def test_privileges_on_tables(db: Person) -> None:
    assert privileges.on_relations(db) == RELATIONS
    assert privileges.on_columns(db) == []


def test_schema_privileges(db: Person) -> None:
    # Schema public comes with USAGE for everybody, so there is nothing to grant.
    roles = ["-"] if db.schema == "public" else ["anon", "authenticated", "service_role"]
    assert privileges.on_schema(db) == {(role, "USAGE", False) for role in roles}


def test_function_privileges(db: Person) -> None:
    found = privileges.on_functions(db)
    assert found == {"authenticated": USERS_FUNCTIONS, "service_role": USERS_FUNCTIONS | SERVICE_FUNCTIONS}


def test_definer_functions(db: Person) -> None:
    """These run with the owner's rights, so each must ask for itself who calls; none is added unnoticed."""
    called, triggers = privileges.definers(db)
    assert called == {
        "current_user_id",
        "knowledge_base_is_active",
        "search_knowledge",
    }
    assert triggers == {
        "check_app_knowledge_bases",
        "check_knowledge_base_apps",
        "check_knowledge_base_cycle",
        "count_deleted_messages",
        "count_knowledge_entries",
        "count_new_conversations",
        "count_new_messages",
        "count_past_progress",
        "queue_knowledge_sync",
        "queue_new_knowledge",
    }


def test_policies(db: Person) -> None:
    assert privileges.policies(db) == POLICIES
