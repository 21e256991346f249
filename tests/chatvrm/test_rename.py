"""mode and character_type: one thing under two names, and how the second came while everybody was at work."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from threading import Condition
from typing import Any
from uuid import UUID

import psycopg
import pytest

from runner.history.instances import Target
from runner.migrate.apply import apply
from runner.migrate.rollback import rollback
from tests.chatvrm.world import World, create
from tests.people import Person, insert

BOTH = "SELECT mode, character_type FROM characters WHERE id = %s"

# What is written, and what both columns are then; "agentic" where nothing says otherwise.
WRITTEN: list[tuple[dict[str, str | None], str]] = [
    ({}, "agentic"),
    ({"mode": "chatty"}, "chatty"),
    ({"character_type": "chatty"}, "chatty"),
    ({"mode": "chatty", "character_type": "chatty"}, "chatty"),
    ({"mode": None, "character_type": "chatty"}, "chatty"),
    ({"mode": "chatty", "character_type": None}, "chatty"),
    ({"mode": None, "character_type": None}, "agentic"),
    ({"mode": "x" * 50}, "x" * 50),
]


# Both columns


@pytest.mark.rule("VRM-07", "accepts")
@pytest.mark.parametrize("role", ["user", "service", "owner"])
@pytest.mark.parametrize(("written", "expected"), WRITTEN)
def test_whichever_is_inserted_the_other_follows(
    db: Person, world: World, role: str, written: dict[str, Any], expected: str
) -> None:
    if role == "owner":
        row = create(db, world.ann.id, **written)
    else:
        with db.as_user(world.ann.sub) if role == "user" else db.as_service():
            row = create(db, world.ann.id, **written)
    assert db.row(BOTH, [row]) == (expected, expected)


@pytest.mark.rule("VRM-07", "accepts")
@pytest.mark.parametrize(
    "change",
    [
        "mode = 'chatty'",
        "character_type = 'chatty'",
        "mode = 'chatty', character_type = 'chatty'",
        "mode = mode, character_type = 'chatty'",
        "mode = 'chatty', character_type = character_type",
        "mode = 'chatty', character_type = 'agentic'",
        "mode = 'agentic', character_type = 'chatty'",
    ],
)
def test_whichever_is_updated_the_other_follows(db: Person, world: World, change: str) -> None:
    with db.as_user(world.ann.sub):
        assert db.run(f"UPDATE characters SET {change}") == 1
        assert db.run("UPDATE characters SET name = 'Sol'") == 1
    assert db.row(BOTH, [world.ann.character]) == ("chatty", "chatty")
    assert db.row(BOTH, [world.bob.character]) == ("agentic", "agentic")


@pytest.mark.rule("VRM-07", "accepts")
@pytest.mark.parametrize("column", ["mode", "character_type"])
def test_an_upsert_that_knows_one_of_them(db: Person, world: World, column: str) -> None:
    with db.as_user(world.ann.sub):
        for value in ("chatty", "quiet"):
            db.run(
                f"INSERT INTO characters (user_id, name, slug, system_prompt, {column})"
                " VALUES (%s, 'Luna', 'luna', 'Be kind', %s)"
                f" ON CONFLICT (slug) DO UPDATE SET {column} = excluded.{column}",
                [world.ann.id, value],
            )
            row = db.row("SELECT mode, character_type FROM characters WHERE slug = 'luna'")
            assert row == (value, value)


@pytest.mark.rule("VRM-07", "refuses")
@pytest.mark.parametrize("role", ["user", "service", "owner"])
def test_two_different_values_are_refused(db: Person, world: World, role: str) -> None:
    def attempts() -> None:
        with db.refused("characters_character_type_check", "23514") as caught:
            create(db, world.ann.id, mode="chatty", character_type="quiet")
        assert "chatty" in caught.value.diag.message_primary
        assert "quiet" in caught.value.diag.message_primary
        assert "character_type only" in caught.value.diag.message_hint
        for mode, character_type in (("chatty", "quiet"), ("Chatty", "chatty"), ("chatty ", "chatty"), ("x", "")):
            with db.refused("characters_character_type_check", "23514"):
                db.run("UPDATE characters SET mode = %s, character_type = %s", [mode, character_type])

    if role == "owner":
        attempts()
    else:
        with db.as_user(world.ann.sub) if role == "user" else db.as_service():
            attempts()
    assert db.row(BOTH, [world.ann.character]) == ("agentic", "agentic")


@pytest.mark.rule("VRM-07", "refuses")
@pytest.mark.parametrize(
    ("change", "column"),
    [
        ("mode = NULL", "mode"),
        ("character_type = NULL", "character_type"),
        ("mode = NULL, character_type = NULL", "mode"),
    ],
)
def test_neither_becomes_null(db: Person, world: World, change: str, column: str) -> None:
    with db.as_service(), db.refused(sqlstate="23502") as caught:
        db.run(f"UPDATE characters SET {change}")
    assert caught.value.diag.column_name == column


@pytest.mark.rule("VRM-07", "refuses")
@pytest.mark.parametrize("column", ["mode", "character_type"])
def test_neither_is_longer_than_fifty(db: Person, world: World, column: str) -> None:
    with db.as_user(world.ann.sub), db.refused(sqlstate="22001"):
        create(db, world.ann.id, **{column: "x" * 51})


@pytest.mark.rule("VRM-07", "accepts")
def test_both_columns_stand_without_a_default_and_are_alike(db: Person) -> None:
    assert db.rows(
        "SELECT column_name, data_type, character_maximum_length AS length, is_nullable, column_default"
        " FROM information_schema.columns WHERE table_schema = %s AND table_name = 'characters'"
        " AND column_name IN ('mode', 'character_type') ORDER BY ordinal_position",
        [db.schema],
    ) == [("mode", "character varying", 50, "NO", None), ("character_type", "character varying", 50, "NO", None)]
    constraint = "SELECT count(*) FROM pg_constraint WHERE conname = 'characters_character_type_set_check'"
    assert db.value(constraint) == 0


# The rename while everybody works

START = "0005_characters"
INSERT = "INSERT INTO characters (user_id, name, slug, system_prompt, {0}) VALUES (%s, 'N', %s, 'Be kind', %s)"
Work = Callable[[Person, int], None]


class Shift:
    """Servers of an application that work without pause until they are told to stop."""

    def __init__(self, connect: Callable[[], Person], pool: ThreadPoolExecutor) -> None:
        self._connect = connect
        self._pool = pool
        self._over = False
        self._turned = Condition()
        self._turns: list[int] = []
        self._working: list[Future[None]] = []

    def begin(self, work: Work) -> None:
        """Let one more server do this again and again, in a session of its own."""
        self._turns.append(0)
        self._working.append(self._pool.submit(self._loop, self._connect(), work, len(self._turns) - 1))

    def _loop(self, person: Person, work: Work, which: int) -> None:
        for turn in count():
            if self._over:
                return
            try:
                work(person, turn)
            finally:
                with self._turned:
                    self._turns[which] += 1
                    self._turned.notify_all()

    def see_all_at_work(self) -> None:
        """Wait until each server has done its work twice more; raise what one of them failed by."""
        goals = [turns + 2 for turns in self._turns]
        with self._turned:
            self._turned.wait_for(
                lambda: (
                    any(future.done() for future in self._working)
                    or all(turns >= goal for turns, goal in zip(self._turns, goals, strict=True))
                ),
                timeout=30,
            )
        for future in self._working:
            if future.done():
                future.result()
        assert all(turns >= goal for turns, goal in zip(self._turns, goals, strict=True))

    def end(self) -> None:
        """Let all finish; raise what one of them failed by."""
        self._over = True
        for future in self._working:
            future.result(timeout=60)


@contextmanager
def shift(connect: Callable[[], Person]) -> Iterator[Shift]:
    with ThreadPoolExecutor(8) as pool:
        working = Shift(connect, pool)
        try:
            yield working
        finally:
            working.end()


def writer(column: str, user: UUID, own: UUID) -> Work:
    """A server that knows only this column: it inserts characters, and changes one of its own."""

    def work(person: Person, turn: int) -> None:
        slug = f"{column.replace('_', '-')}-{turn}"
        person.run(INSERT.format(column), [user, slug, f"{column} {turn % 7}"])
        person.run("UPDATE characters SET name = 'M' WHERE slug = %s", [slug])
        assert person.run(f"UPDATE characters SET {column} = %s WHERE id = %s", [f"{column} {turn}", own]) == 1

    return work


def reader(column: str, user: UUID) -> Work:
    """A server that reads only this column, and knows which values there are."""

    def work(person: Person, turn: int) -> None:
        query = f"SELECT id, name, {column} AS kind FROM characters WHERE user_id = %s ORDER BY id LIMIT 50"
        rows = person.rows(query, [user])
        assert rows
        assert all(column == "character_type" or row.kind for row in rows)

    return work


@pytest.fixture
def begun(empty_database: str) -> str:
    """A database in which ChatVRM has been applied up to the table of characters, and has some."""
    apply(Target(empty_database, ["chatvrm"]), to=START)
    return empty_database


@pytest.fixture
def people(begun: str) -> Iterator[Callable[[], Person]]:
    """Open sessions on it."""
    opened: list[psycopg.Connection[Any]] = []

    def connect() -> Person:
        opened.append(psycopg.connect(begun, autocommit=True, options="-c statement_timeout=30s"))
        return Person(opened[-1], "chatvrm")

    yield connect
    for conn in opened:
        conn.close()


def hire(person: Person) -> tuple[UUID, UUID, UUID]:
    """Return a user with old characters, and the two of them that servers will go on changing."""
    user = insert(person, "users", email="ann@example.org", auth0_id="auth0|ann")
    person.run(
        "INSERT INTO characters (user_id, name, slug, system_prompt, mode)"
        " SELECT %s, 'O', 'o-' || n, 'Be kind', 'old ' || n %% 5 FROM generate_series(1, 2000) AS n",
        [user],
    )
    return user, create(person, user, slug="olds"), create(person, user, slug="news")


DISAGREEING = "SELECT slug, mode, character_type FROM characters WHERE mode IS DISTINCT FROM character_type"


@pytest.mark.rule("VRM-07", "accepts")
def test_nobody_notices_that_a_column_gets_a_new_name(begun: str, people: Callable[[], Person]) -> None:
    """An old writer and reader from the beginning, a new writer and reader as soon as there is the new column."""
    owner = people()
    user, olds, news = hire(owner)
    with shift(people) as work:
        work.begin(writer("mode", user, olds))
        work.begin(reader("mode", user))
        work.see_all_at_work()
        for step in ("0006_character_type", "0007_sync_character_type", "0008_character_type_backfill"):
            apply(Target(begun, ["chatvrm"]), to=step)
            if step == "0006_character_type":
                work.begin(writer("character_type", user, news))
                work.begin(reader("character_type", user))
            work.see_all_at_work()
        assert owner.rows(DISAGREEING) == []
        for step in ("0009_character_type_check", "0010_character_type_validate", "0011_character_type_not_null"):
            apply(Target(begun, ["chatvrm"]), to=step)
            work.see_all_at_work()
        apply(Target(begun, ["chatvrm"]))
        work.see_all_at_work()
    check_result(owner)
    for id, column in ((olds, "mode"), (news, "character_type")):
        kind, other = owner.row(BOTH, [id])
        assert kind == other
        last = owner.value(
            "SELECT count(*) - 1 FROM characters WHERE slug ~ %s", [f"^{column.replace('_', '-')}-[0-9]+$"]
        )
        assert kind == f"{column} {last}"


def check_result(owner: Person) -> None:
    """Every row is what whoever wrote it wrote, under both names."""
    assert owner.rows(DISAGREEING) == []
    assert owner.value("SELECT count(*) FROM characters WHERE mode IS NULL") == 0
    wrong = (
        "SELECT slug, mode FROM characters WHERE mode <> CASE"
        " WHEN slug LIKE 'o-%' THEN 'old ' || substr(slug, 3)::integer % 5"
        " WHEN slug LIKE 'mode-%' THEN 'mode ' || substr(slug, 6)::integer % 7"
        " WHEN slug LIKE 'character-type-%' THEN 'character_type ' || substr(slug, 16)::integer % 7 ELSE mode END"
    )
    assert owner.rows(wrong) == []
    kinds = "SELECT count(*) FROM characters WHERE slug LIKE %s"
    assert owner.value(kinds, ["mode-%"]) > 10
    assert owner.value(kinds, ["character-type-%"]) > 10


@pytest.mark.rule("VRM-07", "accepts")
def test_nobody_notices_that_the_new_name_is_taken_back(begun: str, people: Callable[[], Person]) -> None:
    owner = people()
    user, olds, _ = hire(owner)
    applied = apply(Target(begun, ["chatvrm"]), to="0011_character_type_not_null")
    names = "SELECT array_agg(slug) FROM characters"
    before = owner.value(names)
    with shift(people) as work:
        work.begin(writer("mode", user, olds))
        work.begin(reader("mode", user))
        work.see_all_at_work()
        for _ in applied:
            rollback(Target(begun, ["chatvrm"]), count=1, discard_data=True)
        work.see_all_at_work()
    assert set(before) < set(owner.value(names))
    owner.run("INSERT INTO characters (user_id, name, slug, system_prompt) VALUES (%s, 'N', 'n', 'Be kind')", [user])
    assert owner.value("SELECT mode FROM characters WHERE slug = 'n'") == "agentic"
    with owner.refused(sqlstate="42703"):
        owner.run("SELECT character_type FROM characters")
