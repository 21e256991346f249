"""The log: who changed what, of which columns, from where; kept for good, and shown to who did it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.chatvrm.world import World, build_world, collect, create, cut, subscribe, talk, upload
from tests.people import Person, insert

TABLES = ["characters", "knowledge_bases", "documents", "subscriptions", "api_keys"]
KEY = {"key_hash": "0" * 64, "key_prefix": "00000000", "name": "app"}

# What is never logged: secrets, and what the database counts and stamps.
LEFT_OUT = {
    "characters": {"conversation_count", "average_rating", "rating_count", "rating_sum", "updated_at"},
    "knowledge_bases": {"document_count", "total_chunks", "updated_at"},
    "documents": {"chunk_count"},
    "subscriptions": {"updated_at"},
    "api_keys": {"key_hash", "last_used_at"},
}
# A change of each table, and what the log says of it.
CHANGES: dict[str, tuple[str, dict[str, Any]]] = {
    "characters": (
        "name = 'Sol', description = 'Warm', system_prompt = system_prompt",
        {"name": {"old": "Luna", "new": "Sol"}, "description": {"new": "Warm"}},
    ),
    "knowledge_bases": (
        "name = 'Lore', description = NULL",
        {"name": {"old": "Facts", "new": "Lore"}, "description": {"old": "All of them"}},
    ),
    "documents": (
        "metadata = '{\"pages\": 3, \"author\": null}', status = 'processing'",
        {
            "metadata": {"old": {}, "new": {"pages": 3, "author": None}},
            "status": {"old": "pending", "new": "processing"},
        },
    ),
    "subscriptions": (
        "tier = 'team', monthly_price = 20.5",
        {"tier": {"old": "pro", "new": "team"}, "monthly_price": {"old": 0, "new": 20.5}},
    ),
    "api_keys": (
        "is_active = FALSE, scopes = '{read}', key_hash = repeat('1', 64)",
        {"is_active": {"old": True, "new": False}, "scopes": {"old": [], "new": ["read"]}},
    ),
}


def add(db: Person, world: World, table: str) -> UUID:
    """Insert a row of Ann's and return its id."""
    match table:
        case "characters":
            return create(db, world.ann.id)
        case "knowledge_bases":
            return collect(db, world.ann, description="All of them")
        case "documents":
            base = db.row("SELECT id FROM knowledge_bases WHERE user_id = %s", [world.ann.id]).id
            return upload(db, base, content="words")
        case "subscriptions":
            return subscribe(db, world.ann)
    return insert(db, table, user_id=world.ann.id, **KEY)


@contextmanager
def logged(db: Person) -> Iterator[list[Any]]:
    """Yield a list that holds, after the block, what has been logged in it."""
    before = {row.id for row in db.rows("SELECT id FROM audit_logs")}
    new: list[Any] = []
    yield new
    new += [row for row in db.rows("SELECT * FROM audit_logs") if row.id not in before]


# What is logged


@pytest.mark.rule("VRM-23", "accepts")
@pytest.mark.parametrize("table", TABLES)
def test_an_insert_is_logged_with_all_that_is_set(db: Person, world: World, table: str) -> None:
    collect(db, world.ann)
    with logged(db) as log:
        id = add(db, world, table)
    row = db.value(f"SELECT to_jsonb(t) FROM {table} AS t WHERE id = %s", [id])
    if table == "documents":
        row["content"] = {"length": 5, "sha256": sha256(b"words").hexdigest()}
    (entry,) = log
    assert (entry.action, entry.entity_type, entry.entity_id, entry.user_id) == ("insert", table, id, None)
    assert entry.changes == {
        name: {"new": value} for name, value in row.items() if value is not None and name not in LEFT_OUT[table]
    }
    assert entry.created_at == db.value("SELECT now()")


@pytest.mark.rule("VRM-23", "accepts")
@pytest.mark.parametrize("table", TABLES)
def test_an_update_is_logged_with_what_has_changed(db: Person, world: World, table: str) -> None:
    collect(db, world.ann)
    id = add(db, world, table)
    change, expected = CHANGES[table]
    with logged(db) as log:
        db.run(f"UPDATE {table} SET {change} WHERE id = %s", [id])
    (entry,) = log
    assert (entry.action, entry.entity_type, entry.entity_id) == ("update", table, id)
    assert entry.changes == expected


@pytest.mark.rule("VRM-23", "accepts")
@pytest.mark.parametrize("table", TABLES)
def test_a_delete_is_logged_with_all_that_was(db: Person, world: World, table: str) -> None:
    collect(db, world.ann)
    id = add(db, world, table)
    inserted = db.row("SELECT changes FROM audit_logs WHERE entity_id = %s", [id]).changes
    with logged(db) as log:
        db.run(f"DELETE FROM {table} WHERE id = %s", [id])
    (entry,) = log
    assert (entry.action, entry.entity_type, entry.entity_id) == ("delete", table, id)
    assert entry.changes == {name: {"old": value["new"]} for name, value in inserted.items()}


@pytest.mark.rule("VRM-23", "accepts")
def test_every_row_of_a_statement_and_what_goes_with_it(db: Person, world: World) -> None:
    """Of a knowledge base that is deleted its documents are logged, too."""
    bases = [collect(db, world.ann, name=str(n)) for n in range(3)]
    documents = [upload(db, base) for base in bases]
    with logged(db) as log, db.as_user(world.ann.sub):
        db.run("UPDATE knowledge_bases SET description = 'All of them'")
        db.run("DELETE FROM knowledge_bases")
    actions = {(entry.action, entry.entity_id): entry.user_id for entry in log}
    ids = [*(("update", id) for id in bases), *(("delete", id) for id in [*bases, *documents])]
    assert actions == dict.fromkeys(ids, world.ann.id)
    assert len(log) == 9


@pytest.mark.rule("VRM-23", "accepts")
def test_the_home_that_a_knowledge_base_loses_is_logged(db: Person, world: World) -> None:
    base = collect(db, world.ann, character_id=world.ann.character)
    with logged(db) as log:
        db.run("DELETE FROM characters WHERE id = %s", [world.ann.character])
    assert {(entry.action, entry.entity_id) for entry in log} == {("delete", world.ann.character), ("update", base)}


@pytest.mark.rule("VRM-23", "refuses")
@pytest.mark.parametrize("table", TABLES)
def test_what_changes_nothing_is_not_logged(db: Person, world: World, table: str) -> None:
    collect(db, world.ann)
    id = add(db, world, table)
    with logged(db) as log:
        assert db.run(f"UPDATE {table} SET user_id = user_id WHERE id = %s", [id]) == 1
        for column in LEFT_OUT[table]:
            value = {"key_hash": "repeat('2', 64)", "updated_at": "now()", "last_used_at": "now()"}.get(column, "3")
            assert db.run(f"UPDATE {table} SET {column} = {value} WHERE id = %s", [id]) == 1
    assert log == []


@pytest.mark.rule("VRM-23", "refuses")
def test_what_the_database_counts_is_not_logged(db: Person, world: World) -> None:
    base = collect(db, world.ann)
    document = upload(db, base)
    talk(db, world.ann.character, world.bob, user_rating=4, status="ended")
    with db.as_user(world.ann.sub):
        key = db.row("SELECT * FROM create_api_key('app', '{}')").key
    with logged(db) as log:
        cut(db, document)
        with db.as_service():
            assert db.value("SELECT refresh_character_counters()") == 1
            assert len(db.rows("SELECT * FROM authenticate_api_key(%s)", [key])) == 1
    assert log == []
    assert db.value("SELECT conversation_count FROM characters WHERE id = %s", [world.ann.character]) == 1
    assert db.value("SELECT chunk_count FROM documents") == 1


@pytest.mark.rule("VRM-23", "refuses")
def test_what_is_refused_or_undone_is_not_logged(db: Person, world: World) -> None:
    with logged(db) as log, db.as_user(world.ann.sub):
        with db.refused("characters_slug_check"):
            db.run("UPDATE characters SET name = 'Sol', slug = 'NO'")
        assert db.run("UPDATE characters SET name = 'Sol' WHERE id = %s", [world.bob.character]) == 0
    assert log == []


@pytest.mark.rule("VRM-23", "accepts")
@pytest.mark.parametrize("content", ["", "ü" * 7, "words " * 200000])
def test_of_a_documents_text_length_and_digest_are_kept(db: Person, world: World, content: str) -> None:
    def mark(text: str) -> dict[str, Any]:
        return {"length": len(text), "sha256": sha256(text.encode()).hexdigest()}

    id = upload(db, collect(db, world.ann), content="before")
    with logged(db) as log:
        db.run("UPDATE documents SET content = %s WHERE id = %s", [content, id])
    assert [entry.changes for entry in log] == [{"content": {"old": mark("before"), "new": mark(content)}}]
    with logged(db) as log:
        db.run("UPDATE documents SET content = NULL WHERE id = %s", [id])
    assert [entry.changes for entry in log] == [{"content": {"old": mark(content)}}]


@pytest.mark.rule("VRM-23", "refuses")
def test_a_digest_of_a_key_is_never_logged(db: Person, world: World) -> None:
    with logged(db) as log:
        id = insert(db, "api_keys", user_id=world.ann.id, **KEY)
        db.run("UPDATE api_keys SET key_hash = repeat('1', 64), name = 'x' WHERE id = %s", [id])
        db.run("DELETE FROM api_keys WHERE id = %s", [id])
    assert sorted(entry.action for entry in log) == ["delete", "insert", "update"]
    for entry in log:
        assert "name" in entry.changes
        assert "key_hash" not in json.dumps(entry.changes)
        assert "0" * 64 not in str(entry)
        assert "1" * 64 not in str(entry)


# Who did it


@pytest.mark.rule("VRM-23", "accepts")
def test_the_actor_is_who_changed_it(db: Person, world: World) -> None:
    with logged(db) as log, db.as_user(world.ann.sub):
        character = create(db, world.ann.id)
        base = collect(db, world.ann)
        document = upload(db, base)
        db.run("UPDATE documents SET status = 'archived'")
        key = db.row("SELECT * FROM create_api_key('app', '{read}')").id
        db.run("SELECT revoke_api_key(%s)", [key])
        db.run("DELETE FROM knowledge_bases")
    assert {entry.user_id for entry in log} == {world.ann.id}
    found = sorted((entry.entity_type, entry.action, str(entry.entity_id)) for entry in log)
    assert found == sorted(
        [
            ("characters", "insert", str(character)),
            ("knowledge_bases", "insert", str(base)),
            *(("documents", action, str(document)) for action in ("insert", "update", "delete")),
            *(("api_keys", action, str(key)) for action in ("insert", "update")),
            ("knowledge_bases", "delete", str(base)),
        ]
    )


@pytest.mark.rule("VRM-23", "accepts")
def test_services_and_the_owner_are_nobody(db: Person, world: World) -> None:
    with logged(db) as log:
        db.run("UPDATE characters SET name = 'Sol'")
        with db.as_service():
            subscribe(db, world.ann)
            db.run("UPDATE characters SET name = 'Mars'")
    assert [entry.user_id for entry in log] == [None] * 5


# From where

ORIGINS: list[tuple[str | None, str | None, str | None]] = [
    (None, None, None),
    ("", None, None),
    ("{}", None, None),
    ('{"x-forwarded-for": "203.0.113.7", "user-agent": "curl/8"}', "203.0.113.7", "curl/8"),
    ('{"x-forwarded-for": " 203.0.113.7 , 10.0.0.1, 10.0.0.2"}', "203.0.113.7", None),
    ('{"x-forwarded-for": "2001:db8::1, 10.0.0.1"}', "2001:db8::1", None),
    ('{"x-forwarded-for": "somewhere", "user-agent": "curl/8"}', None, "curl/8"),
    ('{"x-forwarded-for": "203.0.113.7:4711", "user-agent": "curl/8"}', None, "curl/8"),
    ('{"x-forwarded-for": "", "user-agent": ""}', None, ""),
    ('{"x-forwarded-for": ",,,"}', None, None),
    ('{"x-forwarded-for": null, "user-agent": null}', None, None),
    ('{"x-forwarded-for": ["203.0.113.7"], "user-agent": 7}', None, "7"),
    (json.dumps({"user-agent": "ü" * 3000}), None, "ü" * 1000),
    ("{", None, None),
    ("no JSON", None, None),
    ("[1, 2]", None, None),
    ('"text"', None, None),
    ("17", None, None),
    ("null", None, None),
    ('{"user-agent": "\\u0000"}', None, None),
    ('{"user-agent": "\\ud800"}', None, None),
]


@pytest.mark.rule("VRM-23", "accepts")
@pytest.mark.parametrize(("headers", "address", "agent"), ORIGINS)
def test_address_and_program_come_from_the_request(
    db: Person, world: World, headers: str | None, address: str | None, agent: str | None
) -> None:
    """And what of it cannot be read is left out: the change itself goes on."""
    if headers is not None:
        db.run("SELECT set_config('request.headers', %s, TRUE)", [headers])
    with logged(db) as log, db.as_user(world.ann.sub):
        assert db.run("UPDATE characters SET name = 'Sol'") == 1
    (entry,) = log
    assert (entry.ip_address and str(entry.ip_address), entry.user_agent) == (address, agent)
    assert entry.changes == {"name": {"old": "Luna", "new": "Sol"}}


# Kept, and shown

TAMPER = [
    "UPDATE audit_logs SET changes = '{}'",
    "UPDATE audit_logs SET id = id",
    "DELETE FROM audit_logs",
    "TRUNCATE audit_logs",
]


@pytest.mark.rule("VRM-23", "refuses")
@pytest.mark.parametrize("statement", TAMPER)
def test_nobody_changes_the_log(db: Person, world: World, statement: str) -> None:
    before = db.rows("SELECT * FROM audit_logs ORDER BY id")
    assert before
    with db.refused("audit_logs_append_only_check", "42501") as caught:
        db.run(statement)
    assert caught.value.diag.message_hint
    for acting in (db.as_service(), db.as_user(world.ann.sub), db.as_anon()):
        with acting, db.refused(sqlstate="42501"):
            db.run(statement)
    assert db.rows("SELECT * FROM audit_logs ORDER BY id") == before


@pytest.mark.rule("VRM-23", "refuses")
def test_not_even_with_a_privilege_given_by_mistake(db: Person, world: World) -> None:
    with db.as_user(world.ann.sub):
        create(db, world.ann.id)
    db.run("GRANT ALL ON audit_logs TO service_role, authenticated")
    for acting in (db.as_service(), db.as_user(world.ann.sub)):
        with acting:
            for statement in TAMPER[:3]:
                assert db.run(statement) == 0, "no row is there to be changed"
            with db.refused("audit_logs_append_only_check", "42501"):
                db.run("TRUNCATE audit_logs")
            with db.refused(sqlstate="42501"):
                insert(db, "audit_logs", action="insert", entity_type="x", entity_id=uuid4(), changes="{}")


@pytest.mark.rule("VRM-23", "refuses")
def test_nobody_writes_the_log_by_hand(db: Person, world: World) -> None:
    entry = {"action": "insert", "entity_type": "characters", "entity_id": uuid4(), "changes": "{}"}
    for acting in (db.as_service(), db.as_user(world.ann.sub), db.as_anon()):
        with acting, db.refused(sqlstate="42501"):
            insert(db, "audit_logs", **entry, user_id=world.ann.id)
    with db.refused("audit_logs_action_check", "23514"):
        insert(db, "audit_logs", **{**entry, "action": "select"})
    row = insert(db, "audit_logs", **entry)
    with db.refused("audit_logs_pkey", "23505"):
        insert(db, "audit_logs", **entry, id=row)
    for column in (*entry, "created_at", "id"):
        with db.refused(sqlstate="23502") as caught:
            insert(db, "audit_logs", **{**entry, column: None})
        assert caught.value.diag.column_name == column


@pytest.mark.rule("VRM-23", "accepts")
def test_the_actor_and_services_read_the_log(db: Person, world: World) -> None:
    entries = {}
    for user in (world.ann, world.bob):
        with db.as_user(user.sub):
            db.run("UPDATE characters SET name = 'Sol'")
            (entry,) = db.rows("SELECT * FROM audit_logs")
        assert (entry.user_id, entry.entity_id) == (user.id, user.character)
        entries[user.id] = entry.id
    with db.as_service():
        seen = {row.id for row in db.rows("SELECT id FROM audit_logs")}
    assert seen == {row.id for row in db.rows("SELECT id FROM audit_logs")} > set(entries.values())


@pytest.mark.rule("VRM-23", "refuses")
def test_nobody_else_reads_the_log(db: Person, world: World) -> None:
    """Nor what a service did to one's own rows."""
    with db.as_service():
        db.run("UPDATE characters SET name = 'Sol'")
    for sub in (world.ann.sub, world.bob.sub, "auth0|nobody"):
        with db.as_user(sub):
            assert db.rows("SELECT id FROM audit_logs") == []
    with db.as_anon(), db.refused(sqlstate="42501"):
        db.rows("SELECT id FROM audit_logs")


# An account that goes


@pytest.mark.rule("VRM-23", "accepts")
def test_an_account_that_goes_leaves_its_earlier_entries_and_no_more(db: Person, world: World) -> None:
    base = collect(db, world.ann, character_id=world.ann.character)
    cut(db, upload(db, base))
    subscribe(db, world.ann)
    talk(db, world.ann.character, world.bob)
    with db.as_user(world.ann.sub):
        db.run("SELECT create_api_key('app', '{}')")
        db.run("UPDATE characters SET name = 'Sol'")
    earlier = db.rows("SELECT * FROM audit_logs WHERE user_id = %s", [world.ann.id])
    assert len(earlier) == 2
    with logged(db) as log, db.as_service():
        assert db.run("DELETE FROM users WHERE id = %s", [world.ann.id]) == 1
    assert log == []
    for table in TABLES:
        assert db.value(f"SELECT count(*) FROM {table} WHERE user_id = %s", [world.ann.id]) == 0
    assert db.rows("SELECT * FROM audit_logs WHERE user_id = %s", [world.ann.id]) == earlier
    with logged(db) as log:
        db.run("DELETE FROM characters WHERE id = %s", [world.bob.character])
    assert [entry.action for entry in log] == ["delete"], "of those who stay all is logged"


@pytest.mark.rule("VRM-23", "accepts")
def test_changes_in_two_sessions_are_both_logged(connect: Callable[[], Person]) -> None:
    first, second = connect(), connect()
    world = build_world(first)
    first.run("BEGIN")
    with first.as_user(world.ann.sub):
        first.run("UPDATE characters SET name = 'Sol'")
    with second.as_user(world.bob.sub):
        second.run("UPDATE characters SET name = 'Mars'")
    actors = "SELECT user_id FROM audit_logs WHERE action = 'update'"
    assert second.rows(actors) == [(world.bob.id,)]
    first.run("COMMIT")
    assert {row.user_id for row in second.rows(actors)} == {world.ann.id, world.bob.id}
