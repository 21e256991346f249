"""One form of what PostgreSQL writes in two, tried on what it really writes."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from runner.catalog.canonical import canonical

# Conditions as people write them, on a (varchar), b (integer), c (text), d (boolean).
CONDITIONS = [
    "a IN ('x', 'y', 'it''s, ('')')",
    "a NOT IN ('x', 'y')",
    "a IN ('x') OR a IS NULL",
    "a IS NOT NULL AND b > 0 AND c <> ''",
    "(a IS NOT NULL AND b > 0) AND c <> ''",
    "a IS NOT NULL AND (b > 0 AND c <> '')",
    "(d OR b > 0) AND (c = 'AND' OR c = ' OR ')",
    "d OR (b > 0 OR NOT (d OR b = 2))",
    "d AND (CASE WHEN b > 1 AND d THEN d AND b = 2 ELSE d OR d END)",
    "b BETWEEN 1 AND 5 AND c BETWEEN 'a' AND 'z'",
    "(a, b, c) IS DISTINCT FROM ('x', 1, 'z')",
    "(a, b, c) IS DISTINCT FROM ('x', 1, 'z') OR (d AND (b > 1 AND b < 3))",
    "c IN ('x', 'y') AND b IN (1, 2, 3)",
    "coalesce(d AND b > 0 AND b < 9, FALSE)",
    "(d OR b > 0)::text = 'true' OR d OR b = 1",
]


@pytest.fixture
def tables(conn: psycopg.Connection[Any]) -> psycopg.Connection[Any]:
    conn.execute("CREATE TABLE t (a varchar(9), b integer, c text, d boolean)")
    return conn


def written(conn: psycopg.Connection[Any], condition: str) -> str:
    """Return what the server makes of a condition."""
    conn.execute("ALTER TABLE t DROP CONSTRAINT IF EXISTS k")
    conn.execute(f"ALTER TABLE t ADD CONSTRAINT k CHECK ({condition})".encode())
    ((text,),) = conn.execute("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'k'").fetchall()
    return str(text)


def test_reading_it_again_changes_nothing(tables: psycopg.Connection[Any]) -> None:
    changed = 0
    for condition in CONDITIONS:
        first = written(tables, condition)
        second = written(tables, first.removeprefix("CHECK "))
        third = written(tables, second.removeprefix("CHECK "))
        assert canonical(first) == canonical(second) == canonical(third), condition
        # And the server takes it for the same.
        assert canonical(written(tables, canonical(first).removeprefix("CHECK "))) == canonical(first)
        changed += first != second
    assert changed >= 4


def test_other_conditions_stay_apart(tables: psycopg.Connection[Any]) -> None:
    texts = {canonical(written(tables, condition)) for condition in CONDITIONS}
    # Where the parentheses stand in a chain of AND makes no difference.
    assert len(texts) == len(CONDITIONS) - 2


@pytest.mark.parametrize(
    ("nested", "flat"),
    [
        ("((a OR b) OR c)", "(a OR b OR c)"),
        ("(((a) OR (b)) OR (c))", "((a) OR (b) OR (c))"),
        ("(c OR (a OR b) OR d)", "(c OR a OR b OR d)"),
        ("((a AND b) OR c)", "((a AND b) OR c)"),
        ("(f((a OR b)) OR c)", "(f((a OR b)) OR c)"),
        ("((a OR b)::text OR c)", "((a OR b)::text OR c)"),
        ("((NOT (a OR b)) OR c)", "((NOT (a OR b)) OR c)"),
    ],
)
def test_only_members_of_one_chain_are_joined(nested: str, flat: str) -> None:
    assert canonical(nested) == flat


@pytest.mark.parametrize(
    "text", ["", "x", "(", ")", "((a OR b)", "'(' OR ')'", '"(" AND b', "now()", "f(a AND b, c OR d)"]
)
def test_what_is_no_such_text_stays_as_it_is(text: str) -> None:
    assert canonical(text) == text
