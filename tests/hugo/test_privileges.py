"""Exactly these privileges and policies, and none beyond: whoever adds one says so here."""

from __future__ import annotations

import pytest

from tests.people import Person

READ, WRITE = "SELECT", "DELETE INSERT SELECT UPDATE"
SERVICE = {"service_role": WRITE}

TABLES = {
    "apps": {"anon": READ, "authenticated": READ, **SERVICE},
    "archived_conversations": {"authenticated": "DELETE SELECT", **SERVICE},
    "archived_messages": {"authenticated": "DELETE SELECT", **SERVICE},
    "conversations": {"authenticated": WRITE, **SERVICE},
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
    "close_conversation",
    "current_user_id",
    "get_chat_context",
    "get_user_context",
    "knowledge_base_is_active",
    "prepare_statements",
    "search_knowledge",
}
SERVICE_FUNCTIONS = {
    "archive_old_conversations",
    "close_inactive_conversations",
    "decay_memory_importance",
    "expire_user_memories",
    "increment_ke_access",
    "increment_knowledge_access",
    "knowledge_content_hash",
    "knowledge_search_vector",
    "promote_personality_schema",
    "set_knowledge_vector",
    "sync_knowledge_to_vector",
}

POLICIES = {
    "apps": {"apps_public_read", "apps_service_all"},
    "archived_conversations": {"archived_conversations_service_all", "archived_conversations_user_access"},
    "archived_messages": {"archived_messages_service_all", "archived_messages_user_access"},
    "conversations": {"conversations_service_all", "conversations_user_access"},
    "jobs": {"jobs_service_read"},
    "knowledge_bases": {"kb_read_active", "knowledge_bases_service_all"},
    "knowledge_categories": {"knowledge_categories_read", "knowledge_categories_service_all"},
    "knowledge_entries": {"ke_read_active", "knowledge_entries_service_all"},
    "knowledge_sync_queue": {"knowledge_sync_queue_service_all"},
    "messages": {"messages_service_all", "messages_user_access"},
    "personality_schemas": {"personality_schemas_service_all", "ps_read_active"},
    "user_memories": {"um_user_access", "user_memories_service_all"},
    "user_progress": {"up_user_access", "user_progress_service_all"},
    "users": {"users_select_own", "users_service_all", "users_update_own"},
}


@pytest.mark.rule("HUGO-09", "accepts")
@pytest.mark.rule("HUGO-15", "accepts")
def test_table_privileges(db: Person) -> None:
    found: dict[str, dict[str, str]] = {}
    for table, role, privileges in db.rows(
        """
        SELECT c.relname, a.grantee::regrole::text, string_agg(a.privilege_type, ' ' ORDER BY a.privilege_type)
        FROM pg_class AS c CROSS JOIN LATERAL aclexplode(c.relacl) AS a
        WHERE c.relnamespace = %s::regnamespace AND a.grantee <> c.relowner
        GROUP BY 1, 2
        """,
        [db.schema],
    ):
        found.setdefault(table, {})[role] = privileges
    assert found == TABLES


def test_no_column_privileges(db: Person) -> None:
    assert (
        db.rows(
            "SELECT a.attrelid::regclass, a.attname FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid"
            " WHERE c.relnamespace = %s::regnamespace AND a.attacl IS NOT NULL",
            [db.schema],
        )
        == []
    )


def test_function_privileges(db: Person) -> None:
    found: dict[str, set[str]] = {}
    for name, role in db.rows(
        """
        SELECT p.proname, a.grantee::regrole::text
        FROM pg_proc AS p CROSS JOIN LATERAL aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS a
        WHERE p.pronamespace = %s::regnamespace AND a.grantee <> p.proowner
        """,
        [db.schema],
    ):
        found.setdefault(role, set()).add(name)
    assert found == {"authenticated": USERS_FUNCTIONS, "service_role": USERS_FUNCTIONS | SERVICE_FUNCTIONS}


def test_policies(db: Person) -> None:
    found: dict[str, set[str]] = {}
    for table, policy in db.rows(
        "SELECT c.relname, p.polname FROM pg_policy AS p JOIN pg_class AS c ON c.oid = p.polrelid"
        " WHERE c.relnamespace = %s::regnamespace",
        [db.schema],
    ):
        found.setdefault(table, set()).add(policy)
    assert found == POLICIES
