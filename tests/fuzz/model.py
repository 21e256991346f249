"""What each person may see and change, said without looking at policies, grants or functions.

By default a row belongs to whom its owner column (`user_id`, `owner_id`) names, its owner sees all of it, and nobody
else sees that it exists. A table without such a column is said here to be shared or closed; so is every exception.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

Values = Mapping[str, "str | None"]
"""A row: its columns and their values, as the server writes them."""

Lookup = Callable[[str, str, "str | None"], list[Values]]
"""Finds the rows of a table that have this value in this column."""

OWNERS = ("user_id", "owner_id")


def everybody(row: Values, find: Lookup) -> bool:
    """Say of a row that it is for all."""
    return True


@dataclass(frozen=True)
class Shared:
    """Rows of a table that others see than their owner: which ones, which columns, and whether visitors do too."""

    which: Callable[[Values, Lookup], bool] = everybody
    columns: frozenset[str] | None = None
    visitors: bool = False


@dataclass(frozen=True)
class View:
    """A view: of which table, by which column of which name a row is known; shows shared rows, or else one's own.

    What was written down at some time may show rows that are no more, and not those that came since.
    """

    table: str
    key: str = "id"
    named: str = "id"
    shared: bool = False
    written_down: bool = False


@dataclass(frozen=True)
class Model:
    """A system's people and what they may do."""

    # The table of people and the column that a token's `sub` names; without, people are those of auth.users.
    account: str | None = None
    token: str = "id"
    # Whether somebody with such a row is still let in, and whether such a row is still shown.
    active: Callable[[Values], bool] = lambda row: True
    shown: Callable[[Values], bool] = lambda row: True
    # By table the commands that users have: I(nsert), U(pdate), D(elete).
    writes: Mapping[str, str] = field(default_factory=dict)
    # Tables of which users read no row, not even their own, and columns of which nobody learns the content.
    closed: frozenset[str] = frozenset()
    secret: frozenset[str] = frozenset()
    # What is read as a table, and what views show of others' rows.
    shared: Mapping[str, Shared] = field(default_factory=dict)
    published: Mapping[str, Shared] = field(default_factory=dict)
    views: Mapping[str, View] = field(default_factory=dict)
    # Tables of nobody in which triggers note down what users do.
    notes: frozenset[str] = frozenset()
    # Columns that hold ids of somebody else's making, to which nothing is attached.
    free: frozenset[str] = frozenset()


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _live(row: Values) -> bool:
    return row.get("deleted_at") is None


def _of_active_base(row: Values, find: Lookup) -> bool:
    return any(base["is_active"] == "true" for base in find("knowledge_bases", "id", row["knowledge_base_id"]))


def _published(row: Values, find: Lookup) -> bool:
    return row["status"] == "published"


def _speaking(row: Values, find: Lookup) -> bool:
    return any(_published(character, find) for character in find("characters", "id", row["character_id"]))


def _worn(row: Values, find: Lookup) -> bool:
    return any(_published(character, find) for character in find("characters", "vrm_model_id", row["id"]))


MODELS = {
    "hugo": Model(
        account="users",
        token="oriva_user_id",
        writes={
            "users": "U",
            "conversations": "IUD",
            "messages": "IUD",
            "user_progress": "IUD",
            "user_memories": "IUD",
            "archived_conversations": "D",
            "archived_messages": "D",
        },
        closed=_words("jobs job_runs knowledge_sync_queue"),
        shared={
            "apps": Shared(visitors=True),
            "knowledge_bases": Shared(lambda row, find: row["is_active"] == "true"),
            "knowledge_categories": Shared(),
            "knowledge_entries": Shared(_of_active_base),
            "personality_schemas": Shared(lambda row, find: row["status"] == "active"),
        },
        free=_words("conversations.session_id"),
    ),
    "othello": Model(
        account="users",
        token="external_id",
        active=lambda row: _live(row) and row["is_active"] == "true",
        shown=_live,
        writes={
            "conversations": "IU",
            "messages": "IU",
            "consent_tiers": "IUD",
            "interventions": "U",
            "psychological_profiles": "IUD",
            "user_preferences": "IUD",
        },
        closed=_words("jobs job_runs users session_logs"),
        secret=_words("users.password_hash session_logs.session_token"),
        shared={"consent_scopes": Shared(), "timezones": Shared()},
        views={"users_public": View("users"), "session_logs_public": View("session_logs")},
    ),
    "thinking_partner": Model(
        writes={
            "workspaces": "IUD",
            "projects": "IUD",
            "memories": "IUD",
            "chat_sessions": "IUD",
            "session_messages": "IUD",
            "documents": "IUD",
            "chunks": "IUD",
            "work_tickets": "IUD",
            "work_outputs": "I",
        },
        closed=_words("jobs job_runs"),
    ),
    "chatvrm": Model(
        account="users",
        token="auth0_id",
        writes={
            "users": "U",
            "characters": "IU",
            "conversations": "IU",
            "messages": "I",
            "voice_configs": "IUD",
            "knowledge_bases": "IUD",
            "character_knowledge_bases": "ID",
            "documents": "IU",
            "document_chunks": "IUD",
        },
        closed=_words("jobs job_runs api_keys conversation_changes message_changes"),
        secret=_words("api_keys.key_hash"),
        notes=_words("conversation_changes message_changes"),
        free=_words("conversations.session_id"),
        shared={
            "vrm_models": Shared(lambda row, find: row["is_public"] == row["is_approved"] == "true", visitors=True),
        },
        published={
            "characters": Shared(
                _published,
                _words(
                    "id name slug description mode character_type vrm_model_id voice_config llm_model created_at"
                    " updated_at published_at conversation_count average_rating"
                ),
                visitors=True,
            ),
            "voice_configs": Shared(
                _speaking,
                _words("character_id provider voice_id speed pitch volume emotion_settings"),
                visitors=True,
            ),
            "vrm_models": Shared(
                _worn,
                _words("id name category file_url preview_url polygon_count file_size_mb tags"),
                visitors=True,
            ),
        },
        views={
            "api_keys_public": View("api_keys"),
            "my_character_stats": View("characters", written_down=True),
            "published_characters": View("characters", shared=True),
            "published_models": View("vrm_models", shared=True),
            "published_voices": View("voice_configs", "character_id", "character_id", shared=True),
        },
    ),
    "aurum": Model(
        writes={
            **dict.fromkeys(
                _words(
                    "ai_conversation_memory areas daily_reflections insights journal_entries pillars projects tasks"
                    " time_entries user_profiles"
                ),
                "IUD",
            ),
            "user_stats": "IU",
        },
        closed=_words("jobs job_runs slow_queries"),
        shared={"timezones": Shared()},
        free=_words("ai_conversation_memory.session_id insights.llm_session_id"),
        views={"my_hierarchy": View("tasks", named="task_id", written_down=True)},
    ),
}
