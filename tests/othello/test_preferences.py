"""Preferences: keys and values of four types, and that no value shows where it does not belong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.othello.world import World, build_world
from tests.people import Person, blocked, insert

VALUES = {
    "string": ["", " ", "dark", "TRUE", "{", "naïve ☕", "\n"],
    "number": ["0", "-0", "1", "-17", "3.25", "0.1", "1e3", "1E+3", "2.5e-10", "9" * 1000, "1e400"],
    "boolean": ["true", "false"],
    "json": [
        *("{}", "[]", '{"a": [1, 2, {"b": null}]}', "null", "1", "true", '"x"', " [1,\n2] ", '{"a": 1, "a": 2}'),
        *('"\\u00e4"', "[" * 100 + "]" * 100),
    ],
}
NO_VALUES = {
    "number": [
        *("", " ", "one", "1 ", " 1", "1\n", "+1", "01", "-01", "1.", ".5", "1,5", "1_000", "0x10", "1e", "1e1.5"),
        *("NaN", "Infinity", "-Infinity", "--1", "\u0661", "1e200000", "9" * 200000, '"1"'),
    ],
    "boolean": ["", "TRUE", "True", "t", "yes", "on", "1", "0", "true ", "true\n", "null", '"true"', "truefalse"],
    "json": [
        *("", " ", "{", "[1,]", "{a: 1}", "{'a': 1}", "undefined", "NaN", "01", "TRUE", '{"a": 1} x', '"\\u0000"'),
        *('"\\ud800"', '"\n"', "[" * 100000),
    ],
}
TABLE = [(kind, value) for kind, values in VALUES.items() for value in values]
WRONG_TABLE = [(kind, value) for kind, values in NO_VALUES.items() for value in values]


def short(value: object) -> str:
    return ascii(value)[:30]


def prefer(db: Person, world: World, **columns: Any) -> int:
    """Set a preference of Ann's and return its id."""
    return insert(db, "user_preferences", **{"user_id": world.ann.id, "preference_key": "theme", **columns})


@pytest.mark.rule("OTH-07", "accepts")
@pytest.mark.parametrize(("kind", "value"), TABLE, ids=short)
def test_a_value_of_its_type_is_accepted_as_it_is_written(db: Person, world: World, kind: str, value: str) -> None:
    with world.ann.acting(db):
        row = prefer(db, world, value_type=kind, preference_value=value)
        assert db.value("SELECT preference_value FROM user_preferences WHERE id = %s", [row]) == value


@pytest.mark.rule("OTH-07", "refuses")
@pytest.mark.parametrize(("kind", "value"), WRONG_TABLE, ids=short)
def test_a_value_of_another_type_is_refused(db: Person, world: World, kind: str, value: str) -> None:
    with world.ann.acting(db):
        with db.refused("user_preferences_value_check", "23514"):
            prefer(db, world, value_type=kind, preference_value=value)
        row = prefer(db, world, preference_value=value)
        with db.refused("user_preferences_value_check", "23514"):
            db.run("UPDATE user_preferences SET value_type = %s WHERE id = %s", [kind, row])


@pytest.mark.rule("OTH-07", "accepts")
@pytest.mark.parametrize("kind", VALUES)
def test_no_value_is_a_value_of_every_type(db: Person, world: World, kind: str) -> None:
    with world.ann.acting(db):
        row = prefer(db, world, value_type=kind)
        assert db.value("SELECT preference_value FROM user_preferences WHERE id = %s", [row]) is None


@pytest.mark.rule("OTH-07", "accepts")
def test_a_preference_is_a_string_and_not_sensitive_unless_said_otherwise(db: Person, world: World) -> None:
    with world.ann.acting(db):
        prefer(db, world)
        assert db.row("SELECT value_type, is_sensitive, category FROM user_preferences") == ("string", False, None)


@pytest.mark.rule("OTH-07", "refuses")
@pytest.mark.parametrize("kind", ["", "text", "String", "integer", "json "])
def test_another_type_is_refused(db: Person, world: World, kind: str) -> None:
    with world.ann.acting(db), db.refused("user_preferences_value_type_check", "23514"):
        prefer(db, world, value_type=kind, preference_value="1")


@pytest.mark.rule("OTH-07", "refuses")
@pytest.mark.parametrize(
    "column", ["user_id", "preference_key", "value_type", "is_sensitive", "created_at", "updated_at"]
)
def test_what_every_preference_has_cannot_be_null(db: Person, world: World, column: str) -> None:
    with db.as_service(), db.refused(sqlstate="23502") as caught:
        prefer(db, world, **{column: None})
    assert caught.value.diag.column_name == column


@pytest.mark.rule("OTH-07", "accepts")
def test_a_user_sets_a_key_again_by_upsert(db: Person, world: World) -> None:
    upsert = (
        "INSERT INTO user_preferences (user_id, preference_key, preference_value) VALUES (%s, 'theme', %s)"
        " ON CONFLICT (user_id, preference_key) DO UPDATE SET preference_value = excluded.preference_value"
        " RETURNING id, preference_value"
    )
    with world.ann.acting(db):
        first, second = (db.row(upsert, [world.ann.id, value]) for value in ("dark", "light"))
        assert (second.id, second.preference_value) == (first.id, "light")
        prefer(db, world, preference_key="Theme")
    with world.bob.acting(db):
        db.row(upsert, [world.bob.id, "dark"])
    assert db.value("SELECT count(*) FROM user_preferences") == 3


@pytest.mark.rule("OTH-07", "accepts")
def test_a_user_sends_a_row_back_by_its_id(db: Person, world: World) -> None:
    upsert = (
        "INSERT INTO user_preferences (id, user_id, preference_key, preference_value, created_at)"
        " VALUES (%s, %s, 'theme', %s, '1999-01-01Z') ON CONFLICT (id) DO UPDATE SET id = excluded.id,"
        " user_id = excluded.user_id, preference_value = excluded.preference_value, created_at = excluded.created_at"
        " RETURNING id, created_at = now() AS kept, preference_value"
    )
    with world.ann.acting(db):
        row = prefer(db, world, preference_value="dark")
        assert db.row(upsert, [row, world.ann.id, "light"]) == (row, True, "light")


@pytest.mark.rule("OTH-07", "refuses")
def test_a_user_has_a_key_once(db: Person, world: World) -> None:
    with world.ann.acting(db):
        row = prefer(db, world)
        with db.refused("idx_user_preferences_key", "23505"):
            prefer(db, world)
    with db.as_service():
        with db.refused("user_preferences_pkey", "23505"):
            prefer(db, world, preference_key="other", id=row)
        with db.refused("user_preferences_user_id_fkey", "23503"):
            prefer(db, world, user_id=2**40)


@pytest.mark.rule("OTH-07", "refuses")
def test_of_two_who_set_a_key_at_once_the_second_finds_it_taken(connect: Callable[[], Person]) -> None:
    first, second = connect(), connect()
    world = build_world(first)
    sql = "INSERT INTO user_preferences (user_id, preference_key) VALUES (%s, 'theme')"
    with first.as_user(world.ann.external_id), second.as_user(world.ann.external_id):
        first.run("BEGIN")
        first.run(sql, [world.ann.id])
        with blocked(second, first, sql, [world.ann.id]) as again:
            first.run("COMMIT")
        with second.refused("idx_user_preferences_key", "23505"):
            again.result()


def test_users_see_their_own_preferences_alone(db: Person, world: World) -> None:
    row = prefer(db, world)
    with world.bob.acting(db):
        assert db.rows("SELECT id FROM user_preferences") == []
        with db.refused(sqlstate="42501"):
            prefer(db, world, preference_key="other")
    with world.ann.acting(db):
        assert db.rows("SELECT id FROM user_preferences") == [(row,)]


def test_a_preference_stays_where_it_is(db: Person, world: World) -> None:
    row = prefer(db, world)
    for person in (world.ann.acting(db), db.as_service()):
        with person:
            for change in (f"user_id = {world.bob.id}", "id = id + 1000"):
                with db.refused("user_preferences_immutable_check", "23514"):
                    db.run(f"UPDATE user_preferences SET {change} WHERE id = %s", [row])


def test_the_database_keeps_the_times_of_a_preference(db: Person, world: World) -> None:
    old = {"created_at": "1999-01-01Z", "updated_at": "1999-01-01Z"}
    times = "created_at = now() AS created, updated_at = now() AS updated"
    with world.ann.acting(db):
        row = prefer(db, world, **old)
        assert db.row(f"SELECT {times} FROM user_preferences WHERE id = %s", [row]) == (True, True)
        db.run("UPDATE user_preferences SET created_at = '1999-01-01Z', updated_at = '1999-01-01Z'")
        assert db.row(f"SELECT {times} FROM user_preferences WHERE id = %s", [row]) == (True, True)
    with db.as_service():
        row = prefer(db, world, preference_key="imported", **old)
        assert db.row(f"SELECT {times} FROM user_preferences WHERE id = %s", [row]) == (False, False)


# What is sensitive

SECRET = "Xq7-diagnosis"


@contextmanager
def overheard(db: Person) -> Iterator[list[str]]:
    """Collect all that the server tells this connection beside results."""
    said: list[str] = []

    def note(notice: Any) -> None:
        said.append(everything_said(notice))

    db.conn.add_notice_handler(note)
    db.run("SET LOCAL client_min_messages = debug1")
    try:
        yield said
    finally:
        db.conn.remove_notice_handler(note)


def everything_said(diag: Any) -> str:
    return " | ".join(str(getattr(diag, name)) for name in dir(diag) if not name.startswith("_"))


SENSITIVE = [
    ("number", f"{SECRET}"),
    ("boolean", f"{SECRET}"),
    ("json", f'{{"a": "{SECRET}"'),
    ("json", f'{{"a": "{SECRET}\\u0000"}}'),
    ("json", f'"{SECRET}' + "[" * 100000),
    ("json", "[" * 50000 + f'"{SECRET}"'),
    ("none", f"{SECRET}"),
]


@pytest.mark.rule("OTH-07", "refuses")
@pytest.mark.parametrize("as_whom", ["user", "service"])
@pytest.mark.parametrize(("kind", "value"), SENSITIVE, ids=short)
def test_a_refused_sensitive_value_is_repeated_nowhere(
    db: Person, world: World, kind: str, value: str, as_whom: str
) -> None:
    row = prefer(db, world, preference_key="mine", is_sensitive=True)
    with world.ann.acting(db) if as_whom == "user" else db.as_service(), overheard(db) as said:
        for sql, values in (
            (
                "INSERT INTO user_preferences (user_id, preference_key, is_sensitive, value_type, preference_value)"
                " VALUES (%s, 'theme', TRUE, %s, %s)",
                [world.ann.id, kind, value],
            ),
            (
                "UPDATE user_preferences SET value_type = %s, preference_value = %s WHERE id = %s",
                [kind, value, row],
            ),
        ):
            with db.refused(sqlstate="23514") as caught:
                db.run(sql, values)
            said.append(everything_said(caught.value.diag))
    assert len(said) >= 2 and "user_preferences" in said[0]
    assert not [text for text in said if SECRET in text]


@pytest.mark.rule("OTH-07", "refuses")
def test_a_sensitive_value_is_in_no_other_table(db: Person, world: World) -> None:
    tables = [
        row.relname
        for row in db.rows(
            "SELECT relname FROM pg_class WHERE relnamespace = %s::regnamespace AND relkind IN ('r', 'p')"
            " AND relname !~ '^_'",
            [db.schema],
        )
    ]
    for person, key in ((world.ann.acting(db), "mine"), (db.as_service(), "served")):
        with person:
            row = prefer(db, world, preference_key=key, is_sensitive=True, preference_value=SECRET)
            db.run("UPDATE user_preferences SET preference_value = %s WHERE id = %s", [f"{SECRET}!", row])
    holding = [
        table
        for table in tables
        if db.value(f"SELECT strpos(string_agg(t::text, ''), %s) > 0 FROM {table} AS t", [SECRET])
    ]
    assert holding == ["user_preferences"]
