"""Knowledge bases: their form, their tree, the count of their entries, and who reads and writes them."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.hugo.world import World
from tests.people import Person, blocked, insert


def add_base(db: Person, kb_id: str, parent: str | None = None, **columns: Any) -> UUID:
    columns = {"title": "Title", "app_ids": ["app"], "parent_kb_id": parent, **columns}
    return insert(db, "knowledge_bases", kb_id=kb_id, **columns)


def add_chain(db: Person, *kb_ids: str) -> None:
    """Create knowledge bases, each the parent of the next."""
    for parent, kb_id in zip((None, *kb_ids), kb_ids, strict=False):
        add_base(db, kb_id, parent)


def add_entries(db: Person, *bases: UUID, count: int = 1) -> int:
    """Add entries to each knowledge base in one statement."""
    return db.run(
        "INSERT INTO knowledge_entries (knowledge_base_id, title, content)"
        " SELECT b.id, 'Title', 'Content' FROM unnest(%s::uuid[]) AS b (id), generate_series(1, %s)",
        [list(bases), count],
    )


def entry_counts(db: Person) -> dict[str, int]:
    """What each knowledge base says it has, once shown to be what it has."""
    rows = db.rows(
        "SELECT kb.kb_id, kb.entry_count, count(ke.id) AS entries FROM knowledge_bases AS kb"
        " LEFT JOIN knowledge_entries AS ke ON ke.knowledge_base_id = kb.id GROUP BY kb.id"
    )
    assert [row for row in rows if row.entry_count != row.entries] == []
    return {row.kb_id: row.entry_count for row in rows}


@pytest.mark.rule("HUGO-10", "accepts")
@pytest.mark.parametrize(
    "version",
    [
        "0.0.0",
        "1.0.0",
        "10.20.30",
        "1.0.0-alpha",
        "1.0.0-0.3.7",
        "1.0.0-x-y-z.--",
        "1.0.0+20130313144700",
        "1.0.0-a+b.01",
    ],
)
def test_a_version_is_semantic(db: Person, version: str) -> None:
    with db.as_service():
        base = add_base(db, "kb", version=version)
    assert db.value("SELECT version FROM knowledge_bases WHERE id = %s", [base]) == version


@pytest.mark.rule("HUGO-10", "refuses")
@pytest.mark.parametrize(
    "version",
    [
        *("", "1", "1.0", "1.0.0.0", "01.0.0", "1.00.0", "1.0.00", "v1.0.0", "1.0.x", "-1.0.0", " 1.0.0", "1.0.0\n"),
        *("1.0.0-", "1.0.0-01", "1.0.0-a..b", "1.0.0-ä", "1.0.0+", "1.0.0+a+b"),
    ],
)
def test_other_versions_are_refused(db: Person, world: World, version: str) -> None:
    with db.as_service():
        with db.refused("kb_version_check", "23514"):
            add_base(db, "kb", version=version)
        with db.refused("kb_version_check"):
            db.run("UPDATE knowledge_bases SET version = %s", [version])


@pytest.mark.rule("HUGO-10", "accepts")
@pytest.mark.parametrize("app_ids", [["one"], ["one", "two"], ["not_yet_an_app"]])
def test_a_knowledge_base_names_its_apps(db: Person, app_ids: list[str]) -> None:
    with db.as_service():
        base = add_base(db, "kb", app_ids=app_ids)
    assert db.value("SELECT app_ids FROM knowledge_bases WHERE id = %s", [base]) == app_ids
    assert db.value("SELECT version FROM knowledge_bases WHERE id = %s", [base]) == "1.0.0"


@pytest.mark.rule("HUGO-10", "refuses")
@pytest.mark.parametrize("app_ids", [[], [None], ["one", None], ["one", "one"]])
def test_a_knowledge_base_without_apps_is_refused(db: Person, world: World, app_ids: list[str | None]) -> None:
    with db.as_service():
        with db.refused("kb_app_ids_check", "23514"):
            add_base(db, "kb", app_ids=app_ids)
        with db.refused("kb_app_ids_check"):
            db.run("UPDATE knowledge_bases SET app_ids = %s", [app_ids])


@pytest.mark.rule("HUGO-10", "refuses")
@pytest.mark.parametrize("column", ["kb_id", "title", "app_ids", "version", "entry_count", "created_at", "updated_at"])
def test_what_every_knowledge_base_has_cannot_be_null(db: Person, column: str) -> None:
    with db.refused(sqlstate="23502") as caught:
        add_base(db, **{"kb_id": "kb", column: None})
    assert caught.value.diag.column_name == column


@pytest.mark.rule("HUGO-10", "accepts")
def test_parents_form_a_tree(db: Person) -> None:
    with db.as_service():
        add_chain(db, *(f"v{number}" for number in range(50)))
        add_base(db, "branch", "v1")
        assert db.run("UPDATE knowledge_bases SET parent_kb_id = 'branch' WHERE kb_id = 'v2'") == 1
        assert db.run("UPDATE knowledge_bases SET parent_kb_id = NULL WHERE kb_id = 'v40'") == 1
        # Upside down, by steps that never close a circle.
        assert db.run("UPDATE knowledge_bases SET parent_kb_id = 'v49' WHERE kb_id = 'v0'") == 1
    parents = dict(db.rows("SELECT kb_id, parent_kb_id FROM knowledge_bases"))
    assert (parents["v2"], parents["v40"], parents["v0"]) == ("branch", None, "v49")


@pytest.mark.rule("HUGO-10", "accepts")
def test_parents_may_be_sent_back_unchanged(db: Person) -> None:
    with db.as_service():
        add_chain(db, "a", "b", "c")
        assert db.run("UPDATE knowledge_bases SET kb_id = kb_id, parent_kb_id = parent_kb_id") == 3
        upserted = db.run(
            "INSERT INTO knowledge_bases (kb_id, title, app_ids, parent_kb_id)"
            " SELECT kb_id, 'New', app_ids, parent_kb_id FROM knowledge_bases"
            " ON CONFLICT (kb_id) DO UPDATE SET title = excluded.title, parent_kb_id = excluded.parent_kb_id"
        )
    assert upserted == 3
    assert db.value("SELECT count(*) FROM knowledge_bases WHERE title = 'New'") == 3


@pytest.mark.rule("HUGO-10", "refuses")
@pytest.mark.parametrize(
    ("statement", "constraint"),
    [
        ("UPDATE knowledge_bases SET parent_kb_id = 'unknown' WHERE kb_id = 'a'", "knowledge_bases_parent_kb_id_fkey"),
        ("UPDATE knowledge_bases SET parent_kb_id = '' WHERE kb_id = 'a'", "knowledge_bases_parent_kb_id_fkey"),
        ("UPDATE knowledge_bases SET kb_id = 'new' WHERE kb_id = 'a'", "knowledge_bases_parent_kb_id_fkey"),
        ("DELETE FROM knowledge_bases WHERE kb_id = 'b'", "knowledge_bases_parent_kb_id_fkey"),
        ("UPDATE knowledge_bases SET parent_kb_id = 'a' WHERE kb_id = 'a'", "kb_parent_check"),
        ("UPDATE knowledge_bases SET parent_kb_id = kb_id", "kb_parent_check"),
        ("UPDATE knowledge_bases SET parent_kb_id = 'b' WHERE kb_id = 'a'", "kb_parent_cycle_check"),
        ("UPDATE knowledge_bases SET parent_kb_id = 'd' WHERE kb_id = 'a'", "kb_parent_cycle_check"),
        ("UPDATE knowledge_bases SET parent_kb_id = 'd' WHERE kb_id IN ('b', 'a')", "kb_parent_cycle_check"),
        (
            "UPDATE knowledge_bases SET parent_kb_id = CASE kb_id WHEN 'a' THEN 'b' WHEN 'b' THEN 'a' END"
            " WHERE kb_id IN ('a', 'b')",
            "kb_parent_cycle_check",
        ),
        (
            "INSERT INTO knowledge_bases (kb_id, title, app_ids, parent_kb_id)"
            " VALUES ('x', 'X', '{app}', 'y'), ('y', 'Y', '{app}', 'x')",
            "kb_parent_cycle_check",
        ),
        (
            "INSERT INTO knowledge_bases (kb_id, title, app_ids, parent_kb_id) VALUES ('a', 'A', '{app}', 'c')"
            " ON CONFLICT (kb_id) DO UPDATE SET parent_kb_id = excluded.parent_kb_id",
            "kb_parent_cycle_check",
        ),
        (
            "INSERT INTO knowledge_bases (kb_id, title, app_ids, parent_kb_id) VALUES ('x', 'X', '{app}', 'x')",
            "kb_parent_check",
        ),
    ],
)
def test_a_parent_exists_and_is_no_descendant(db: Person, statement: str, constraint: str) -> None:
    add_chain(db, "a", "b", "c", "d")
    with db.as_service(), db.refused(constraint):
        db.run(statement)


CLOSE = "UPDATE knowledge_bases SET parent_kb_id = %s WHERE kb_id = %s"


@pytest.mark.rule("HUGO-10", "refuses")
def test_two_sessions_do_not_close_a_circle(connect: Callable[[], Person]) -> None:
    first, second = connect(), connect()
    for kb_id in ("a", "b"):
        add_base(first, kb_id)
    first.run("BEGIN")
    second.run("BEGIN")
    # Each holds a row of its own already; the second waits, and neither is a victim of a deadlock.
    second.run("UPDATE knowledge_bases SET title = 'Mine' WHERE kb_id = 'b'")
    first.run(CLOSE, ["b", "a"])
    with blocked(second, first, CLOSE, ["a", "b"]) as closing:
        first.run("COMMIT")
    error = closing.exception()
    assert error is not None
    assert error.diag.constraint_name == "kb_parent_cycle_check"  # type: ignore[attr-defined]
    second.run("ROLLBACK")
    assert dict(first.rows("SELECT kb_id, parent_kb_id FROM knowledge_bases")) == {"a": "b", "b": None}


@pytest.mark.rule("HUGO-10", "refuses")
@pytest.mark.parametrize("level", ["REPEATABLE READ", "SERIALIZABLE"])
def test_an_older_snapshot_does_not_close_a_circle(connect: Callable[[], Person], level: str) -> None:
    first, second = connect(), connect()
    add_chain(first, "c", "b")
    add_chain(first, "a")
    second.run(f"BEGIN ISOLATION LEVEL {level}")
    second.run("SELECT 1 FROM knowledge_bases")
    first.run(CLOSE, ["b", "a"])
    with second.refused(sqlstate="40001"):
        second.run(CLOSE, ["a", "c"])
    second.run("ROLLBACK")
    assert dict(first.rows("SELECT kb_id, parent_kb_id FROM knowledge_bases")) == {"a": "b", "b": "c", "c": None}


@pytest.mark.rule("HUGO-11", "accepts")
def test_the_count_follows_every_statement(db: Person) -> None:
    with db.as_service():
        one, two, three = (add_base(db, kb_id) for kb_id in ("one", "two", "three"))
        assert entry_counts(db) == {"one": 0, "two": 0, "three": 0}
        add_entries(db, one, two, one)
        assert entry_counts(db) == {"one": 2, "two": 1, "three": 0}
        db.run("UPDATE knowledge_entries SET knowledge_base_id = %s WHERE knowledge_base_id = %s", [three, one])
        assert entry_counts(db) == {"one": 0, "two": 1, "three": 2}
        # One there and one back, in one statement.
        db.run(
            "UPDATE knowledge_entries SET knowledge_base_id ="
            " CASE knowledge_base_id WHEN %(a)s THEN %(b)s::uuid ELSE %(a)s END",
            {"a": two, "b": three},
        )
        assert entry_counts(db) == {"one": 0, "two": 2, "three": 1}
        db.run("UPDATE knowledge_entries SET title = 'New'")
        db.run("DELETE FROM knowledge_entries WHERE knowledge_base_id = %s", [two])
        db.run("DELETE FROM knowledge_entries WHERE FALSE")
        assert entry_counts(db) == {"one": 0, "two": 0, "three": 1}
        db.run("DELETE FROM knowledge_bases WHERE id = %s", [three])
        assert entry_counts(db) == {"one": 0, "two": 0}
    assert db.value("SELECT count(*) FROM knowledge_entries") == 0


@pytest.mark.rule("HUGO-11", "accepts")
def test_an_upsert_counts_what_is_new(db: Person) -> None:
    with db.as_service():
        one, two = add_base(db, "one"), add_base(db, "two")
        add_entries(db, one)
        touched = db.run(
            "INSERT INTO knowledge_entries (id, knowledge_base_id, title, content)"
            " SELECT id, %(two)s, 'Moved', content FROM knowledge_entries"
            " UNION ALL SELECT gen_random_uuid(), %(two)s, 'New', 'New'"
            " ON CONFLICT (id) DO UPDATE SET knowledge_base_id = excluded.knowledge_base_id",
            {"two": two},
        )
        assert touched == 2
        assert entry_counts(db) == {"one": 0, "two": 2}
        db.run(
            "INSERT INTO knowledge_entries (id, knowledge_base_id, title, content)"
            " SELECT id, %s, title, content FROM knowledge_entries ON CONFLICT DO NOTHING",
            [one],
        )
        assert entry_counts(db) == {"one": 0, "two": 2}


@pytest.mark.rule("HUGO-11", "accepts")
@pytest.mark.parametrize("statement", ["insert", "move", "delete"])
def test_ten_thousand_entries_are_one_update_of_each_knowledge_base(db: Person, statement: str) -> None:
    one, two, three = (add_base(db, kb_id) for kb_id in ("one", "two", "three"))
    statements: dict[str, Callable[[], int]] = {
        "insert": lambda: add_entries(db, one, two, count=5000),
        "move": lambda: db.run("UPDATE knowledge_entries SET knowledge_base_id = %s", [three]),
        "delete": lambda: db.run("DELETE FROM knowledge_entries"),
    }
    updates = "SELECT pg_stat_get_xact_tuples_updated('knowledge_bases'::regclass)"
    if statement == "insert":
        before = db.value(updates)
        assert statements["insert"]() == 10000
        assert db.value(updates) - before == 2
    else:
        # Few entries show the same: it is one update for each knowledge base, not for each entry.
        add_entries(db, one, two, count=50)
        before = db.value(updates)
        assert statements[statement]() == 100
        assert db.value(updates) - before == {"move": 3, "delete": 2}[statement]
    entry_counts(db)


@pytest.mark.rule("HUGO-11", "refuses")
@pytest.mark.parametrize("as_upsert", [False, True])
def test_nobody_sets_the_count(db: Person, world: World, as_upsert: bool) -> None:
    with db.as_service():
        add_entries(db, world.kb, count=3)
        if as_upsert:
            db.run(
                "INSERT INTO knowledge_bases (kb_id, title, app_ids, entry_count)"
                " VALUES ('coach_kb', 'Title', '{coach}', 99)"
                " ON CONFLICT (kb_id) DO UPDATE SET entry_count = excluded.entry_count + 99"
            )
        else:
            db.run("UPDATE knowledge_bases SET entry_count = 99")
        add_base(db, "new", entry_count=99)
        assert entry_counts(db) == {"coach_kb": 3, "new": 0}


@pytest.mark.rule("HUGO-11", "refuses")
def test_the_count_is_never_negative(db: Person, world: World) -> None:
    with db.refused("kb_entry_count_check", "23514"):
        db.run("UPDATE knowledge_bases SET entry_count = -1")


@pytest.mark.rule("HUGO-11", "accepts")
def test_concurrent_loads_lose_no_count(connect: Callable[[], Person]) -> None:
    sessions = [connect() for _ in range(8)]
    one, two = add_base(sessions[0], "one"), add_base(sessions[0], "two")

    def load(session: Person) -> None:
        for _ in range(5):
            add_entries(session, one, two)
            add_entries(session, two, one)

    with ThreadPoolExecutor(len(sessions)) as pool:
        for future in [pool.submit(load, session) for session in sessions]:
            future.result(timeout=30)
    assert entry_counts(sessions[0]) == {"one": 80, "two": 80}


@pytest.mark.rule("HUGO-11", "accepts")
@pytest.mark.parametrize("change", ["load", "delete"])
def test_bulk_statements_lock_knowledge_bases_in_one_order(connect: Callable[[], Person], change: str) -> None:
    holder, worker = connect(), connect()
    low, high = sorted(uuid4() for _ in range(2))
    for key, kb_id in ((high, "stored_first"), (low, "locked_first")):
        add_base(holder, kb_id, id=key)
    add_entries(holder, high, low)
    statements = {
        "load": "INSERT INTO knowledge_entries (knowledge_base_id, title, content)"
        f" VALUES ('{high}', 'T', 'C'), ('{low}', 'T', 'C')",
        "delete": "DELETE FROM knowledge_entries",
    }
    holder.run("BEGIN")
    holder.run("SELECT 1 FROM knowledge_bases WHERE id = %s FOR NO KEY UPDATE", [low])
    with blocked(worker, holder, statements[change]) as working:
        # While it waits for the first it holds no other: whoever has that may ask for the rest.
        holder.run("SELECT 1 FROM knowledge_bases WHERE id = %s FOR NO KEY UPDATE NOWAIT", [high])
        holder.run("COMMIT")
    assert working.result() == 2
    entry_counts(holder)


@pytest.mark.rule("HUGO-15", "accepts")
def test_users_read_active_knowledge_and_personalities(db: Person, world: World) -> None:
    add_entries(db, world.kb)
    schema = '{"tone": "warm", "focus": ["empathy"], "constraints": [], "examples": []}'
    insert(db, "personality_schemas", schema_id="p", version="1.0.0", layer="base", created_by="ann", schema=schema)
    for status in ("testing", "active"):
        db.run("UPDATE personality_schemas SET status = %s", [status])
    with db.as_user(world.ann):
        assert db.value("SELECT kb_id FROM knowledge_bases") == "coach_kb"
        assert db.value("SELECT title FROM knowledge_entries") == "Title"
        assert db.value("SELECT status FROM personality_schemas") == "active"
        assert db.value("SELECT count(*) FROM knowledge_categories WHERE category = 'principles'") == 1
        assert db.value("SELECT knowledge_base_is_active(%s)", [world.kb]) is True


@pytest.mark.rule("HUGO-15", "refuses")
@pytest.mark.parametrize("activity", ["FALSE", "NULL"])
def test_users_do_not_see_drafts(db: Person, world: World, activity: str) -> None:
    add_entries(db, world.kb)
    db.run(f"UPDATE knowledge_bases SET is_active = {activity}")
    with db.as_user(world.ann):
        for table in ("knowledge_bases", "knowledge_entries"):
            assert db.rows(f"SELECT * FROM {table}") == [], table
        assert db.value("SELECT knowledge_base_is_active(%s)", [world.kb]) is False
        assert db.value("SELECT knowledge_base_is_active(gen_random_uuid())") is False
    with db.as_service():
        assert db.value("SELECT count(*) FROM knowledge_entries") == 1


@pytest.mark.rule("HUGO-15", "refuses")
def test_users_see_a_personality_only_while_it_is_active(db: Person, world: World) -> None:
    schema = '{"tone": "warm", "focus": ["empathy"], "constraints": [], "examples": []}'
    insert(db, "personality_schemas", schema_id="p", version="1.0.0", layer="base", created_by="ann", schema=schema)
    seen = {}
    for status in ("draft", "testing", "active", "archived"):
        db.run("UPDATE personality_schemas SET status = %s", [status])
        with db.as_user(world.ann):
            seen[status] = len(db.rows("SELECT * FROM personality_schemas"))
    assert seen == {"draft": 0, "testing": 0, "active": 1, "archived": 0}


@pytest.mark.rule("HUGO-15", "refuses")
@pytest.mark.parametrize(
    "table", ["knowledge_bases", "knowledge_entries", "personality_schemas", "knowledge_categories"]
)
def test_users_do_not_write_knowledge_and_visitors_do_not_read_it(db: Person, world: World, table: str) -> None:
    column = db.value("SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum = 1", [table])
    statements = [
        f"INSERT INTO {table} DEFAULT VALUES",
        f"INSERT INTO {table} DEFAULT VALUES ON CONFLICT DO NOTHING",
        f"UPDATE {table} SET {column} = {column}",
        f"DELETE FROM {table}",
        f"TRUNCATE {table} CASCADE",
        f"SELECT 1 FROM {table} FOR SHARE",
    ]
    for statement in statements:
        with db.as_user(world.ann), db.refused(sqlstate="42501"):
            db.run(statement)
    for statement in (*statements, f"SELECT * FROM {table}"):
        with db.as_anon(), db.refused(sqlstate="42501"):
            db.run(statement)
