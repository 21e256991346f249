"""Every rule is shown to accept and to refuse, and the rule pages name what really exists."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import psycopg
import pytest

from tests.databases import INSTANCES

ROOT = Path(__file__).parent.parent
PAGES = sorted((ROOT / "docs" / "rules").glob("*.md"))


@cache
def shown() -> set[tuple[str, str]]:
    """Return (rule id, accepts or refuses) of every `rule` mark in the tests."""
    found = set()
    for path in Path(__file__).parent.rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.rule":
                rule, shows = (ast.literal_eval(argument) for argument in node.args)
                assert shows in ("accepts", "refuses"), f"{path}:{node.lineno}"
                found.add((rule, shows))
    return found


def rules(page: Path) -> list[str]:
    return re.findall(r"^\| ([A-Z]+-\d+) \|", page.read_text(), re.M)


def test_every_system_has_a_page() -> None:
    assert [page.stem for page in PAGES] == sorted(INSTANCES)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_rules_are_numbered_without_gaps(page: Path) -> None:
    ids = rules(page)
    prefix = ids[0].split("-")[0]
    assert ids == [f"{prefix}-{number:02d}" for number in range(1, len(ids) + 1)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_rule_is_shown_to_accept_and_to_refuse(page: Path) -> None:
    wanted = {(rule, shows) for rule in rules(page) for shows in ("accepts", "refuses")}
    assert sorted(wanted - shown()) == []


def test_no_test_shows_a_rule_that_does_not_exist() -> None:
    known = {rule for page in PAGES for rule in rules(page)}
    assert sorted({rule for rule, _ in shown()} - known) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_names_on_the_page_exist(shared_database: str, page: Path) -> None:
    names = set(re.findall(r"`([a-z_]+)(?:\(\))?`", page.read_text())) - {"schema"}
    with psycopg.connect(shared_database) as conn:
        existing = conn.execute(
            """
            SELECT conname FROM pg_constraint WHERE connamespace = %(schema)s::regnamespace
            UNION SELECT relname FROM pg_class WHERE relnamespace = %(schema)s::regnamespace
            UNION SELECT proname FROM pg_proc WHERE pronamespace = %(schema)s::regnamespace
            UNION SELECT typname FROM pg_type WHERE typnamespace = %(schema)s::regnamespace
            UNION SELECT tgname FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid
                WHERE c.relnamespace = %(schema)s::regnamespace
            UNION SELECT polname FROM pg_policy AS p JOIN pg_class AS c ON c.oid = p.polrelid
                WHERE c.relnamespace = %(schema)s::regnamespace
            -- Rules that a trigger enforces are named in its function or its arguments.
            UNION SELECT (regexp_matches(prosrc, '\\m[a-z_]+_(?:check|fkey)\\M', 'g'))[1] FROM pg_proc
                WHERE pronamespace = %(schema)s::regnamespace
            UNION SELECT (regexp_matches(encode(tgargs, 'escape'), '[a-z_]+_(?:check|fkey)', 'g'))[1]
                FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid
                WHERE c.relnamespace = %(schema)s::regnamespace
            """,
            {"schema": INSTANCES[page.stem][0]},
        ).fetchall()
        conn.rollback()
    assert sorted(names - {name for (name,) in existing}) == []
