"""Exactly these privileges, policies and signatures, and none beyond: whoever adds one says so here."""

from __future__ import annotations

import pytest

from tests import privileges
from tests.people import Person

READ, APPEND, WRITE = "SELECT", "INSERT SELECT", "DELETE INSERT SELECT UPDATE"

# Nothing for anon.
RELATIONS = {
    "chat_sessions": {"authenticated": WRITE, "service_role": WRITE},
    "chunks": {"authenticated": WRITE, "service_role": WRITE},
    "documents": {"authenticated": WRITE, "service_role": WRITE},
    "email_delivery_log": {"authenticated": READ, "service_role": WRITE},
    "job_runs": {"service_role": READ},
    "jobs": {"service_role": READ},
    "memories": {"authenticated": WRITE, "service_role": WRITE},
    "projects": {"authenticated": WRITE, "service_role": WRITE},
    "scheduled_messages": {"authenticated": READ, "service_role": WRITE},
    "session_messages": {"authenticated": WRITE, "service_role": WRITE},
    "subscription_events": {"authenticated": READ, "service_role": APPEND},
    "work_outputs": {"authenticated": APPEND, "service_role": WRITE},
    "work_tickets": {"authenticated": WRITE, "service_role": WRITE},
    "workspaces": {"authenticated": WRITE, "service_role": WRITE},
}

USERS_FUNCTIONS = {
    "append_session_message(uuid, text, text, jsonb)",
    "check_query_embedding(extensions.vector)",
    "current_user_id()",
    "forget_memory(uuid)",
    "get_document_with_stats(uuid)",
    "get_or_create_chat_session(uuid, uuid, text, text)",
    "get_or_create_workspace(text)",
    "get_session_messages(uuid)",
    "match_chunks(extensions.vector, uuid, integer, double precision)",
    "prepare_statements()",
    "search_chunks(extensions.vector, uuid, integer)",
    "search_memories(extensions.vector, uuid, uuid, integer, double precision)",
}
SERVICE_FUNCTIONS = {
    "claim_due_messages(integer)",
    "claim_pending_documents(integer)",
    "claim_tickets(integer)",
    "expire_subscriptions()",
    "record_subscription_event(uuid, text, text, text, timestamp with time zone, jsonb)",
}

# Names and defaults of parameters and the columns of results, as services name them in their calls.
SIGNATURES = {
    "append_session_message": (
        "p_session_id uuid, p_role text, p_content text, p_metadata jsonb DEFAULT '{}'::jsonb",
        "session_messages",
    ),
    "claim_due_messages": ("p_limit integer DEFAULT 10", "SETOF scheduled_messages"),
    "claim_pending_documents": ("p_limit integer DEFAULT 10", "SETOF documents"),
    "claim_tickets": ("p_limit integer DEFAULT 10", "SETOF work_tickets"),
    "forget_memory": ("p_id uuid", "memories"),
    "get_document_with_stats": (
        "doc_id uuid",
        "TABLE(id uuid, filename text, file_type text, file_size integer, storage_path text, project_id uuid,"
        " user_id uuid, processing_status text, processed_at timestamp with time zone, error_message text,"
        " page_count integer, word_count integer, created_at timestamp with time zone, chunk_count bigint,"
        " memory_count bigint)",
    ),
    "get_or_create_chat_session": (
        "p_user_id uuid, p_project_id uuid, p_session_type text DEFAULT 'thinking_partner'::text,"
        " p_scope text DEFAULT 'daily'::text",
        "chat_sessions",
    ),
    "get_or_create_workspace": ("p_name text DEFAULT 'My Workspace'::text", "workspaces"),
    "get_session_messages": ("p_session_id uuid", "SETOF session_messages"),
    "match_chunks": (
        "query_embedding extensions.vector, match_document_id uuid, match_count integer DEFAULT 5,"
        " similarity_threshold double precision DEFAULT 0.5",
        "TABLE(id uuid, content text, chunk_index integer, page_number integer, metadata jsonb,"
        " similarity double precision)",
    ),
    "record_subscription_event": (
        "p_workspace_id uuid, p_event_type text, p_ls_subscription_id text, p_ls_customer_id text,"
        " p_expires_at timestamp with time zone, p_payload jsonb",
        "workspaces",
    ),
    "search_chunks": (
        "query_embedding extensions.vector, match_project_id uuid DEFAULT NULL::uuid, match_count integer DEFAULT 10",
        "TABLE(id uuid, document_id uuid, filename text, content text, chunk_index integer, page_number integer,"
        " metadata jsonb, similarity double precision)",
    ),
    "search_memories": (
        "query_embedding extensions.vector, match_user_id uuid, match_project_id uuid DEFAULT NULL::uuid,"
        " match_count integer DEFAULT 20, similarity_threshold double precision DEFAULT 0.5",
        "TABLE(id uuid, content text, tags text[], entities jsonb, importance double precision, source_type text,"
        " project_id uuid, created_at timestamp with time zone, similarity double precision,"
        " relevance double precision)",
    ),
}

# Each with its role and command: r is SELECT, * is all of them.
POLICIES = {
    "chat_sessions_service_all": ("chat_sessions", "service_role", "*"),
    "chat_sessions_user_access": ("chat_sessions", "authenticated", "*"),
    "chunks_service_all": ("chunks", "service_role", "*"),
    "chunks_user_access": ("chunks", "authenticated", "*"),
    "documents_service_all": ("documents", "service_role", "*"),
    "documents_user_access": ("documents", "authenticated", "*"),
    "email_delivery_log_service_all": ("email_delivery_log", "service_role", "*"),
    "email_delivery_log_user_read": ("email_delivery_log", "authenticated", "r"),
    "job_runs_service_read": ("job_runs", "service_role", "r"),
    "jobs_service_read": ("jobs", "service_role", "r"),
    "memories_service_all": ("memories", "service_role", "*"),
    "memories_user_access": ("memories", "authenticated", "*"),
    "projects_service_all": ("projects", "service_role", "*"),
    "projects_user_access": ("projects", "authenticated", "*"),
    "scheduled_messages_service_all": ("scheduled_messages", "service_role", "*"),
    "scheduled_messages_user_read": ("scheduled_messages", "authenticated", "r"),
    "session_messages_service_all": ("session_messages", "service_role", "*"),
    "session_messages_user_access": ("session_messages", "authenticated", "*"),
    "subscription_events_service_all": ("subscription_events", "service_role", "*"),
    "subscription_events_user_read": ("subscription_events", "authenticated", "r"),
    "work_outputs_service_all": ("work_outputs", "service_role", "*"),
    "work_outputs_user_access": ("work_outputs", "authenticated", "*"),
    "work_tickets_service_all": ("work_tickets", "service_role", "*"),
    "work_tickets_user_access": ("work_tickets", "authenticated", "*"),
    "workspaces_service_all": ("workspaces", "service_role", "*"),
    "workspaces_user_access": ("workspaces", "authenticated", "*"),
}


@pytest.mark.rule("TP-24", "accepts")
def test_privileges_on_tables_views_and_sequences(db: Person) -> None:
    assert privileges.on_relations(db) == RELATIONS
    assert privileges.on_columns(db) == []


def test_schema_privileges(db: Person) -> None:
    assert privileges.on_schema(db) == {(role, "USAGE", False) for role in ("anon", "authenticated", "service_role")}


@pytest.mark.rule("TP-12", "refuses")
def test_function_privileges(db: Person) -> None:
    found = privileges.on_functions(db)
    assert found == {"authenticated": USERS_FUNCTIONS, "service_role": USERS_FUNCTIONS | SERVICE_FUNCTIONS}


@pytest.mark.parametrize("function", SIGNATURES)
def test_signatures(db: Person, function: str) -> None:
    assert privileges.signature(db, function) == SIGNATURES[function]


def test_definer_functions(db: Person) -> None:
    """This runs with the owner's rights, so it must ask for itself who calls; none is added unnoticed."""
    assert privileges.definers(db) == ({"get_document_with_stats"}, set())


@pytest.mark.rule("TP-24", "refuses")
def test_policies(db: Person) -> None:
    assert privileges.policies(db) == POLICIES
