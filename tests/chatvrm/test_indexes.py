"""The document's indexes, under its names; where it asks for one beside a UNIQUE column, the constraint is it."""

from __future__ import annotations

import pytest

from tests.people import Person

# Table, whether it is unique, method and what is indexed.
INDEXES = {
    "idx_users_email": ("users", True, "btree (email)"),
    "idx_users_auth0_id": ("users", True, "btree (auth0_id)"),
    "idx_characters_user_id": ("characters", False, "btree (user_id)"),
    "idx_characters_status": ("characters", False, "btree (status)"),
    "idx_characters_user_id_status": ("characters", False, "btree (user_id, status)"),
    "idx_characters_user_status_updated": ("characters", False, "btree (user_id, status, updated_at DESC)"),
    "idx_characters_name_gin": ("characters", False, "gin (to_tsvector('english'::regconfig, (name)::text))"),
    "unique_slug": ("characters", True, "btree (slug)"),
    "idx_conversations_character_id": ("conversations", False, "btree (character_id)"),
    "idx_conversations_user_id": ("conversations", False, "btree (user_id)"),
    "idx_conversations_started_at": ("conversations", False, "btree (started_at)"),
    "idx_conversations_character_id_status": ("conversations", False, "btree (character_id, status)"),
    "idx_conversations_user_character_started": (
        "conversations",
        False,
        "btree (user_id, character_id, started_at DESC)",
    ),
    "idx_messages_conversation_id": ("messages", False, "btree (conversation_id)"),
    "idx_messages_created_at": ("messages", False, "btree (created_at)"),
    "idx_messages_conversation_id_created": ("messages", False, "btree (conversation_id, created_at)"),
    "idx_messages_created_at_brin": ("messages", False, "brin (created_at)"),
    "idx_documents_content_gin": (
        "documents",
        False,
        "gin (to_tsvector('english'::regconfig, \"left\"(content, 100000)))",
    ),
    "idx_analytics_character_date": ("character_analytics", True, "btree (character_id, date)"),
    "unique_user_subscription": ("subscriptions", True, "btree (user_id) WHERE ((status)::text = 'active'::text)"),
    "idx_audit_logs_user_id": ("audit_logs", False, "btree (user_id)"),
    "idx_audit_logs_entity": ("audit_logs", False, "btree (entity_type, entity_id)"),
    "idx_character_stats_id": ("character_stats", True, "btree (id)"),
}

_INDEXES = """
SELECT
    c.relname AS name,
    t.relname AS table,
    i.indisunique AS is_unique,
    regexp_replace(pg_get_indexdef(c.oid), '^.* USING ', '') AS definition,
    i.indisvalid AND i.indisready AS usable
FROM pg_index AS i
JOIN pg_class AS c ON c.oid = i.indexrelid
JOIN pg_class AS t ON t.oid = i.indrelid
WHERE c.relnamespace = %s::regnamespace
"""


@pytest.mark.rule("VRM-25", "accepts")
@pytest.mark.parametrize("name", INDEXES)
def test_the_documents_indexes_exist_under_their_names(db: Person, name: str) -> None:
    index = db.row(_INDEXES + " AND c.relname = %s", [db.schema, name])
    assert (index.table, index.is_unique, index.definition) == INDEXES[name]
    assert index.usable


@pytest.mark.rule("VRM-25", "refuses")
def test_no_index_repeats_another(db: Person) -> None:
    """Nor the one of a UNIQUE column: each would be written at every insert for nothing."""
    found = [(row.table, row.definition) for row in db.rows(_INDEXES, [db.schema])]
    assert sorted({index for index in found if found.count(index) > 1}) == []


@pytest.mark.rule("VRM-25", "refuses")
@pytest.mark.parametrize(
    ("name", "constraint", "twice"),
    [
        ("idx_users_email", "idx_users_email", "INSERT INTO users (email, auth0_id) VALUES (%s, random()::text)"),
        ("idx_users_auth0_id", "idx_users_auth0_id", "INSERT INTO users (auth0_id, email) VALUES (%s, 'a@b.example')"),
        (
            "idx_characters_slug",
            "unique_slug",
            "INSERT INTO characters (slug, user_id, name, system_prompt)"
            " SELECT %s, id, 'Luna', 'Be kind' FROM users LIMIT 1",
        ),
    ],
)
def test_an_index_that_repeats_a_unique_column_is_the_constraint(
    db: Person, name: str, constraint: str, twice: str
) -> None:
    value = {"idx_users_email": "twice@example.org"}.get(name, "twice")
    db.run("INSERT INTO users (email, auth0_id) VALUES ('first@example.org', 'first')")
    db.run(twice, [value])
    with db.refused(constraint, "23505"):
        db.run(twice.replace("'a@b.example'", "'c@d.example'"), [value])
    names = {row.name for row in db.rows(_INDEXES, [db.schema])}
    assert (name in names) == (name == constraint)


@pytest.mark.rule("VRM-25", "accepts")
def test_every_partition_of_messages_has_all_its_indexes(db: Person) -> None:
    made = db.value("SELECT create_message_partition('2020-02-02')")
    assert made
    rows = db.rows(
        "SELECT i.inhrelid::regclass::text AS name, count(x.indexrelid) FILTER (WHERE x.indisvalid) AS indexes"
        " FROM pg_inherits AS i LEFT JOIN pg_index AS x ON x.indrelid = i.inhrelid"
        " WHERE i.inhparent = 'messages'::regclass GROUP BY 1"
    )
    assert {"messages_2020_02", "messages_default"} <= {row.name for row in rows}
    wanted = db.value("SELECT count(*) FROM pg_index WHERE indrelid = 'messages'::regclass")
    assert {row.indexes for row in rows} == {wanted}
