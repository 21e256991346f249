"""Exactly these privileges, policies and signatures, and none beyond: whoever adds one says so here."""

from __future__ import annotations

import pytest

from tests import privileges
from tests.people import Person

READ, KEEP, WRITE = "SELECT", "INSERT SELECT UPDATE", "DELETE INSERT SELECT UPDATE"

OWN = (
    *("ai_conversation_memory", "areas", "daily_reflections", "insights", "journal_entries", "pillars", "projects"),
    *("tasks", "time_entries", "user_profiles"),
)
READ_ONLY = ("archived_conversation_memory", "user_behavior_patterns", "user_statistics_cache", "timezones")
MONITORING = (
    *("embedding_backlog", "embedding_coverage", "statistics_cache_usage", "storage_growth", "user_engagement"),
    "vector_index_usage",
)

# Nothing on hierarchy_view, which knows of no row-level security.
RELATIONS = {
    **{name: {"authenticated": WRITE, "service_role": WRITE} for name in OWN},
    **{name: {"authenticated": READ, "service_role": WRITE} for name in READ_ONLY},
    **{name: {"service_role": READ} for name in (*MONITORING, "job_runs", "jobs")},
    "audit_log": {"authenticated": READ, "service_role": READ},
    "my_hierarchy": {"authenticated": READ},
    "slow_queries": {"service_role": WRITE},
    "user_stats": {"authenticated": KEEP, "service_role": KEEP},
}

USERS_FUNCTIONS = {
    "acting_user(uuid)",
    "check_query_embedding(extensions.vector)",
    "current_user_id()",
    "embedding_source(text)",
    "find_similar_journal_entries(extensions.vector, integer, uuid)",
    "find_similar_tasks(extensions.vector, integer, uuid, boolean)",
    "is_working_hours(jsonb)",
    "nearest_rows(text, extensions.vector, uuid, integer, timestamp with time zone, boolean)",
    "prepare_statements()",
    "rag_search(extensions.vector, uuid, integer, integer)",
    "record_insight_feedback(uuid, text, jsonb)",
    "refresh_user_statistics(uuid, date, text)",
    "refuse_parent(text, text, text, text)",
    "search_conversation_memory(extensions.vector, uuid, integer, timestamp with time zone)",
}
SERVICE_FUNCTIONS = {
    "archive_old_conversations(interval)",
    "data_quality_report()",
    "embedding_text_hash(text[])",
    "expire_insights()",
    "refresh_all_statistics(date)",
    "refresh_hierarchy_view()",
    "refresh_user_stats(uuid)",
    "set_embedding(text, uuid, text, extensions.vector[], text)",
    "slow_query_report(integer)",
    "stale_embeddings(text, integer)",
}

# Names and defaults of parameters and the columns of results, as services name them in their calls.
SIGNATURES = {
    "acting_user": ("p_user_id uuid", "uuid"),
    "archive_old_conversations": ("p_older_than interval DEFAULT '6 mons'::interval", "integer"),
    "check_query_embedding": ("p_query extensions.vector", "void"),
    "current_user_id": ("", "uuid"),
    "data_quality_report": ("", "TABLE(violation text, found bigint)"),
    "embedding_source": ("p_entity text, OUT source_table text, OUT texts text, OUT columns text[]", "record"),
    "embedding_text_hash": ("p_texts text[]", "text"),
    "expire_insights": ("", "integer"),
    "find_similar_journal_entries": (
        "query_embedding extensions.vector, match_count integer DEFAULT 5, user_id_filter uuid DEFAULT NULL::uuid",
        "TABLE(id uuid, title text, content text, mood text, created_at timestamp with time zone,"
        " similarity double precision)",
    ),
    "find_similar_tasks": (
        "query_embedding extensions.vector, match_count integer DEFAULT 5, user_id_filter uuid DEFAULT NULL::uuid,"
        " include_completed boolean DEFAULT false",
        "TABLE(id uuid, name text, description text, status text, priority text, due_date timestamp with time zone,"
        " project_id uuid, similarity double precision)",
    ),
    "is_working_hours": ("p_value jsonb", "boolean"),
    "nearest_rows": (
        "p_entity text, p_query extensions.vector, p_user_id uuid, p_count integer,"
        " p_since timestamp with time zone DEFAULT NULL::timestamp with time zone,"
        " p_open_only boolean DEFAULT false",
        "TABLE(id uuid, similarity double precision)",
    ),
    "prepare_statements": ("", "void"),
    "rag_search": (
        "query_embedding extensions.vector, user_id_filter uuid DEFAULT NULL::uuid, match_count integer DEFAULT 10,"
        " date_range_days integer DEFAULT NULL::integer",
        "TABLE(entity_type text, entity_id uuid, title text, content text, similarity double precision,"
        " created_at timestamp with time zone, metadata jsonb)",
    ),
    "record_insight_feedback": ("id uuid, feedback text, details jsonb DEFAULT NULL::jsonb", "insights"),
    "refresh_all_statistics": ("p_stat_date date DEFAULT CURRENT_DATE", "integer"),
    "refresh_hierarchy_view": ("", "void"),
    "refresh_user_statistics": (
        "p_user_id uuid DEFAULT NULL::uuid, p_stat_date date DEFAULT CURRENT_DATE,"
        " p_stat_type text DEFAULT 'daily'::text",
        "user_statistics_cache",
    ),
    "refresh_user_stats": ("p_user_id uuid DEFAULT NULL::uuid", "integer"),
    "refuse_parent": ("p_constraint text, p_table text, p_parent text, p_schema text", "void"),
    "search_conversation_memory": (
        "query_embedding extensions.vector, p_user_id uuid DEFAULT NULL::uuid, match_count integer DEFAULT 10,"
        " cutoff_date timestamp with time zone DEFAULT NULL::timestamp with time zone",
        "TABLE(id uuid, session_id uuid, message_role text, message_content text, context_entities jsonb,"
        " conversation_date date, created_at timestamp with time zone, similarity double precision)",
    ),
    "set_embedding": (
        "p_entity text, p_entity_id uuid, p_content_hash text, p_embeddings extensions.vector[],"
        " p_model text DEFAULT 'text-embedding-3-small'::text",
        "void",
    ),
    "slow_query_report": ("p_limit integer DEFAULT 20", "integer"),
    "stale_embeddings": (
        "p_entity text, p_limit integer DEFAULT 100",
        "TABLE(entity_id uuid, content_hash text, texts text[])",
    ),
}

# These run with the owner's rights, so they must ask for themselves who calls, or be service_role's; none is added
# unnoticed.
CALLED_DEFINERS = {
    "data_quality_report",
    "record_insight_feedback",
    "refresh_all_statistics",
    "refresh_hierarchy_view",
    "refresh_user_statistics",
    "refresh_user_stats",
    "slow_query_report",
}
TRIGGERS_DEFINERS = {
    "count_for_user_stats",
    "forget_dependencies",
    "log_change",
    "move_projects",
    "move_tasks",
    "remove_of_entity",
}

# Each with its role and command: r is SELECT, * is all of them.
POLICIES = {
    **{f"{name}_user_access": (name, "authenticated", "*") for name in (*OWN, "user_stats")},
    **{f"{name}_user_read": (name, "authenticated", "r") for name in (*READ_ONLY[:3], "audit_log")},
    **{f"{name}_service_all": (name, "service_role", "*") for name in (*OWN, *READ_ONLY, "user_stats", "slow_queries")},
    **{f"{name}_service_read": (name, "service_role", "r") for name in ("audit_log", "job_runs", "jobs")},
    "timezones_read": ("timezones", "authenticated", "r"),
}

OWN_ROWS = "({} = ( SELECT current_user_id() AS current_user_id))"
BARRIER, INVOKER = ["security_barrier=true"], ["security_invoker=true"]


@pytest.mark.rule("AUR-20", "accepts")
def test_privileges_on_tables_views_and_sequences(db: Person) -> None:
    assert privileges.on_relations(db) == RELATIONS
    assert privileges.on_columns(db) == []


def test_schema_privileges(db: Person) -> None:
    assert privileges.on_schema(db) == {(role, "USAGE", False) for role in ("anon", "authenticated", "service_role")}


@pytest.mark.rule("AUR-20", "refuses")
def test_function_privileges(db: Person) -> None:
    assert privileges.on_functions(db) == {
        "authenticated": USERS_FUNCTIONS,
        "service_role": USERS_FUNCTIONS | SERVICE_FUNCTIONS,
    }


def test_every_function_that_may_be_called_has_its_signature_here() -> None:
    assert {name.partition("(")[0] for name in USERS_FUNCTIONS | SERVICE_FUNCTIONS} == {*SIGNATURES}


@pytest.mark.parametrize("function", SIGNATURES)
def test_signatures(db: Person, function: str) -> None:
    assert privileges.signature(db, function) == SIGNATURES[function]


def test_definer_functions(db: Person) -> None:
    assert privileges.definers(db) == (CALLED_DEFINERS, TRIGGERS_DEFINERS)


@pytest.mark.rule("AUR-20", "refuses")
def test_policies(db: Person) -> None:
    assert privileges.policies(db) == POLICIES


@pytest.mark.rule("AUR-20", "refuses")
def test_users_have_policies_for_their_own_rows_only(db: Person) -> None:
    """Triggers refuse nearly all that a missing WITH CHECK would let through."""
    found = db.rows(
        "SELECT tablename, cmd, qual, with_check FROM pg_policies WHERE schemaname = %s AND roles = '{authenticated}'",
        [db.schema],
    )
    for row in found:
        own = OWN_ROWS.format("id" if row.tablename == "user_profiles" else "user_id")
        wanted = (own, own) if row.cmd == "ALL" else ("true" if row.tablename == "timezones" else own, None)
        assert (row.qual, row.with_check) == wanted, row.tablename
    assert len(found) == len(OWN) + 1 + len(READ_ONLY) + 1


@pytest.mark.rule("AUR-16", "refuses")
@pytest.mark.rule("AUR-22", "refuses")
def test_views_have_the_callers_rights_or_are_barriers(db: Person) -> None:
    """A condition of the caller's is not asked before that of a view that crosses row-level security."""
    views = db.rows(
        "SELECT relname, reloptions FROM pg_class WHERE relkind = 'v' AND relnamespace = %s::regnamespace", [db.schema]
    )
    assert dict(views) == dict.fromkeys(MONITORING, INVOKER) | {"my_hierarchy": BARRIER}
