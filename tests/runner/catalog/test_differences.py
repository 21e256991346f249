"""Where two schemas differ, in lines; and that the name of a schema is no difference."""

from __future__ import annotations

from typing import Any

import pytest

from runner.catalog.describe import normaliser
from runner.catalog.differences import differences


def table(**columns: dict[str, Any]) -> dict[str, Any]:
    return {"table a": {"columns": columns}}


INTEGER, TEXT = {"type": "integer"}, {"type": "text", "null": False}


@pytest.mark.parametrize(
    ("expected", "actual", "lines"),
    [
        (table(id=INTEGER), table(id=INTEGER), []),
        (table(id=INTEGER), {}, ["table a: missing"]),
        ({}, table(id=INTEGER), ["table a: not made by the files"]),
        (table(id=INTEGER, b=TEXT), table(id=INTEGER), ["table a: column b: missing (text)"]),
        (table(id=INTEGER), table(id=INTEGER, b=TEXT), ["table a: column b: not made by the files (text)"]),
        (table(b=TEXT), table(b={"type": "text"}), ["table a: column b: null is not set, the files make it no"]),
    ],
)
def test_each_difference_is_a_line(expected: Any, actual: Any, lines: list[str]) -> None:
    assert differences(expected, actual) == lines


def test_what_is_there_besides_is_left_out_on_demand() -> None:
    assert differences(table(id=INTEGER), table(id=INTEGER, b=TEXT) | {"view v": {}}, extra=False) == []


def test_of_a_long_text_the_lines_that_differ_are_shown() -> None:
    one, other = ({"function f()": {"": {"": {"body": f"BEGIN\n  {word};\nEND"}}}} for word in ("old", "new"))
    (line,) = differences(one, other)
    assert line.splitlines()[0] == "function f(): body differs (- the files, + the database)"
    assert {"    -  old;", "    +  new;"} <= set(line.splitlines())


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("SELECT * FROM hugo.chats", "SELECT * FROM <schema>.chats"),
        ('SELECT * FROM "hugo".chats', "SELECT * FROM <schema>.chats"),
        ("SELECT hugo FROM my_hugo.chats", "SELECT hugo FROM my_hugo.chats"),
        ("search_path=hugo, platform", "search_path=<schema>, platform"),
        ("SET search_path TO 'hugo', 'platform'", "SET search_path TO <schema>, 'platform'"),
    ],
)
def test_the_schema_has_no_name(text: str, normal: str) -> None:
    assert normaliser("hugo")(text) == normal
