"""Exactly these privileges, policies and signatures, and none beyond: whoever adds one says so here."""

from __future__ import annotations

import pytest

from tests import privileges
from tests.people import Person

READ, KEEP, WRITE = "SELECT", "INSERT SELECT UPDATE", "DELETE INSERT SELECT UPDATE"
EVERYBODY_READS = {"anon": READ, "authenticated": READ, "service_role": READ}

# Nothing on api_keys, character_stats and the partitions of messages.
RELATIONS = {
    "api_keys_public": {"authenticated": READ, "service_role": READ},
    "archived_conversations": {"authenticated": READ, "service_role": WRITE},
    "archived_messages": {"authenticated": READ, "service_role": WRITE},
    "audio_files": {"authenticated": READ, "service_role": WRITE},
    "audit_logs": {"authenticated": READ, "service_role": READ},
    "character_analytics": {"authenticated": READ, "service_role": WRITE},
    "character_knowledge_bases": {"authenticated": "DELETE INSERT SELECT", "service_role": WRITE},
    "characters": {"authenticated": KEEP, "service_role": KEEP},
    "conversation_changes": {"service_role": READ},
    "conversations": {"authenticated": KEEP, "service_role": WRITE},
    "document_chunks": {"authenticated": WRITE, "service_role": WRITE},
    "documents": {"authenticated": KEEP, "service_role": WRITE},
    "job_runs": {"service_role": READ},
    "jobs": {"service_role": READ},
    "knowledge_bases": {"authenticated": WRITE, "service_role": WRITE},
    "message_changes": {"service_role": READ},
    "messages": {"authenticated": "INSERT SELECT", "service_role": WRITE},
    "my_character_stats": {"authenticated": READ},
    "published_characters": EVERYBODY_READS,
    "published_models": EVERYBODY_READS,
    "published_voices": EVERYBODY_READS,
    "subscriptions": {"authenticated": READ, "service_role": WRITE},
    "users": {"authenticated": "SELECT UPDATE", "service_role": WRITE},
    "voice_configs": {"authenticated": WRITE, "service_role": WRITE},
    "vrm_models": {"anon": READ, "authenticated": READ, "service_role": WRITE},
}

VISITORS_FUNCTIONS = {"search_characters(text, integer)"}
USERS_FUNCTIONS = VISITORS_FUNCTIONS | {
    "begin_conversation_earlier(uuid, timestamp with time zone)",
    "check_query_embedding(extensions.vector)",
    "create_api_key(text, text[], timestamp with time zone)",
    "current_user_id()",
    "get_conversation_messages(uuid, integer, timestamp with time zone)",
    "revoke_api_key(uuid)",
    "search_character_knowledge(uuid, extensions.vector, integer)",
    "search_documents(text, integer)",
}
SERVICE_FUNCTIONS = {
    "archive_old_conversations(interval)",
    "authenticate_api_key(text)",
    "backfill_character_analytics()",
    "character_analytics_of(date, date)",
    "claim_audio_for_cold_storage(integer)",
    "create_message_partition(date)",
    "create_message_partitions(integer)",
    "mark_audio_cold(uuid, text)",
    "refresh_character_counters()",
    "refresh_character_stats()",
    "refresh_message_counts()",
    "roll_up_character_analytics(date)",
    "store_character_analytics(date, date)",
}

# Names and defaults of parameters and the columns of results, as services name them in their calls.
SIGNATURES = {
    "archive_old_conversations": ("p_older_than interval DEFAULT '6 mons'::interval", "integer"),
    "authenticate_api_key": ("p_key text", "TABLE(user_id uuid, scopes character varying[])"),
    "backfill_character_analytics": ("", "integer"),
    "begin_conversation_earlier": ("p_id uuid, p_started_at timestamp with time zone", "void"),
    "character_analytics_of": (
        "p_from date, p_to date",
        "TABLE(character_id uuid, date date, conversation_count bigint, message_count bigint, unique_users bigint,"
        " avg_conversation_duration double precision, avg_user_rating double precision, popular_topics jsonb,"
        " emotion_distribution jsonb, user_id uuid)",
    ),
    "check_query_embedding": ("p_query extensions.vector", "void"),
    "claim_audio_for_cold_storage": ("p_limit integer DEFAULT 10", "SETOF audio_files"),
    "create_api_key": (
        "p_name text, p_scopes text[], p_expires_at timestamp with time zone DEFAULT NULL::timestamp with time zone",
        "TABLE(id uuid, key text, key_prefix character varying)",
    ),
    "create_message_partition": ("p_month date", "boolean"),
    "create_message_partitions": ("p_months_ahead integer DEFAULT 3", "integer"),
    "current_user_id": ("", "uuid"),
    "get_conversation_messages": (
        "p_conversation_id uuid, p_limit integer DEFAULT 50,"
        " p_before timestamp with time zone DEFAULT 'infinity'::timestamp with time zone",
        "SETOF messages",
    ),
    "mark_audio_cold": ("p_id uuid, p_storage_url text", "audio_files"),
    "refresh_character_counters": ("", "integer"),
    "refresh_character_stats": ("", "void"),
    "refresh_message_counts": ("", "integer"),
    "revoke_api_key": ("p_id uuid", "void"),
    "roll_up_character_analytics": ("p_day date DEFAULT (((now() AT TIME ZONE 'UTC'::text))::date - 1)", "integer"),
    "search_character_knowledge": (
        "p_character_id uuid, query_embedding extensions.vector, match_count integer DEFAULT 5",
        "TABLE(id uuid, document_id uuid, knowledge_base_id uuid, filename character varying, content text,"
        " chunk_index integer, metadata jsonb, similarity double precision)",
    ),
    "search_characters": (
        "p_query text, p_limit integer DEFAULT 20",
        "TABLE(id uuid, name character varying, slug character varying, description text, status character varying,"
        " published_at timestamp with time zone, average_rating double precision, relevance real)",
    ),
    "search_documents": (
        "p_query text, p_limit integer DEFAULT 20",
        "TABLE(id uuid, knowledge_base_id uuid, filename character varying, file_type character varying,"
        " status character varying, uploaded_at timestamp with time zone)",
    ),
    "store_character_analytics": ("p_from date, p_to date", "integer"),
}

# These run with the owner's rights, so they must ask for themselves who calls, or be service_role's; none is added
# unnoticed.
CALLED_DEFINERS = {
    "authenticate_api_key",
    "begin_conversation_earlier",
    "create_api_key",
    "create_message_partition",
    "create_message_partitions",
    "current_user_id",
    "refresh_character_counters",
    "refresh_character_stats",
    "refresh_message_counts",
    "revoke_api_key",
    "search_characters",
    "search_documents",
}
TRIGGERS_DEFINERS = {
    "check_new_conversation",
    "count_chunks",
    "count_conversations",
    "count_documents",
    "count_messages",
    "follow_subscription",
    "hand_over_archived_messages",
    "hand_over_messages",
    "log_change",
}

# Each with its role and command: r is SELECT, * is all of them.
POLICIES = {
    "api_keys_service_none": ("api_keys", "service_role", "*"),
    "archived_conversations_service_all": ("archived_conversations", "service_role", "*"),
    "archived_conversations_user_read": ("archived_conversations", "authenticated", "r"),
    "archived_messages_service_all": ("archived_messages", "service_role", "*"),
    "archived_messages_user_read": ("archived_messages", "authenticated", "r"),
    "audio_files_service_all": ("audio_files", "service_role", "*"),
    "audio_files_user_read": ("audio_files", "authenticated", "r"),
    "audit_logs_service_read": ("audit_logs", "service_role", "r"),
    "audit_logs_user_read": ("audit_logs", "authenticated", "r"),
    "character_analytics_service_all": ("character_analytics", "service_role", "*"),
    "character_analytics_user_read": ("character_analytics", "authenticated", "r"),
    "character_knowledge_bases_service_all": ("character_knowledge_bases", "service_role", "*"),
    "character_knowledge_bases_user_access": ("character_knowledge_bases", "authenticated", "*"),
    "characters_owner_policy": ("characters", "authenticated", "*"),
    "characters_service_all": ("characters", "service_role", "*"),
    "conversation_changes_service_read": ("conversation_changes", "service_role", "r"),
    "conversations_service_all": ("conversations", "service_role", "*"),
    "conversations_user_access": ("conversations", "authenticated", "*"),
    "document_chunks_service_all": ("document_chunks", "service_role", "*"),
    "document_chunks_user_access": ("document_chunks", "authenticated", "*"),
    "documents_service_all": ("documents", "service_role", "*"),
    "documents_user_access": ("documents", "authenticated", "*"),
    "job_runs_service_read": ("job_runs", "service_role", "r"),
    "jobs_service_read": ("jobs", "service_role", "r"),
    "knowledge_bases_service_all": ("knowledge_bases", "service_role", "*"),
    "knowledge_bases_user_access": ("knowledge_bases", "authenticated", "*"),
    "message_changes_service_read": ("message_changes", "service_role", "r"),
    "messages_service_all": ("messages", "service_role", "*"),
    "messages_user_access": ("messages", "authenticated", "*"),
    "subscriptions_service_all": ("subscriptions", "service_role", "*"),
    "subscriptions_user_read": ("subscriptions", "authenticated", "r"),
    "users_service_all": ("users", "service_role", "*"),
    "users_user_access": ("users", "authenticated", "*"),
    "voice_configs_service_all": ("voice_configs", "service_role", "*"),
    "voice_configs_user_access": ("voice_configs", "authenticated", "*"),
    "vrm_models_public_read": ("vrm_models", "anon authenticated", "r"),
    "vrm_models_service_all": ("vrm_models", "service_role", "*"),
}


@pytest.mark.rule("VRM-24", "accepts")
def test_privileges_on_tables_views_and_sequences(db: Person) -> None:
    assert privileges.on_relations(db) == RELATIONS
    assert privileges.on_columns(db) == []


def test_schema_privileges(db: Person) -> None:
    assert privileges.on_schema(db) == {(role, "USAGE", False) for role in ("anon", "authenticated", "service_role")}


@pytest.mark.rule("VRM-24", "refuses")
def test_function_privileges(db: Person) -> None:
    assert privileges.on_functions(db) == {
        "anon": VISITORS_FUNCTIONS,
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


@pytest.mark.rule("VRM-24", "refuses")
def test_policies(db: Person) -> None:
    assert privileges.policies(db) == POLICIES


@pytest.mark.rule("VRM-24", "accepts")
def test_views_that_cross_row_level_security_are_barriers(db: Person) -> None:
    """A condition of the caller's is not asked before that of the view, whatever it costs."""
    views = db.rows(
        "SELECT relname, reloptions FROM pg_class WHERE relkind = 'v' AND relnamespace = %s::regnamespace", [db.schema]
    )
    assert {row.relname for row in views} == {
        *("api_keys_public", "my_character_stats", "published_characters", "published_models", "published_voices")
    }
    assert all(row.reloptions == ["security_barrier=true"] for row in views)
