"""Tables and functions of an instance, as the catalog has them: whatever is added is made use of."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import psycopg

from tests.fuzz.model import OWNERS, Model, Values

# A reference to a parent: columns, the parent's table, the parent's columns.
Parent = tuple[tuple[str, ...], str, tuple[str, ...]]

ACCOUNTS = "auth.users"


@dataclass(frozen=True)
class Table:
    """A table; `parents` are its foreign keys, those of fewer columns first, `unique` the columns of each UNIQUE."""

    name: str
    types: Mapping[str, str]
    generated: frozenset[str]
    nullable: frozenset[str]
    defaulted: frozenset[str]
    key: tuple[str, ...]
    owner: str | None
    parents: tuple[Parent, ...]
    checks: Mapping[str, str]
    unique: tuple[tuple[str, ...], ...]

    @cached_property
    def columns(self) -> list[str]:
        """The columns that can be written."""
        return [name for name in self.types if name not in self.generated]

    @cached_property
    def readable(self) -> list[str]:
        """The columns without those of which the content is long and says nothing."""
        return [name for name, type_ in self.types.items() if not type_.startswith(("vector", "tsvector"))]

    @cached_property
    def concerned(self) -> dict[str, list[str]]:
        """For each CHECK the columns that it is about."""
        words = {rule: {*re.findall(r"\w+", text)} for rule, text in self.checks.items()}
        return {rule: [column for column in self.columns if column in words[rule]] for rule in self.checks}

    @cached_property
    def said(self) -> dict[str, list[str]]:
        """For each column the texts that its CHECKs name."""
        return {
            column: [one for rule, text in self.checks.items() if column in self.concerned[rule] for one in texts(text)]
            for column in self.types
        }


@dataclass(frozen=True)
class Row:
    """A row as it stands, named by the values of its key; `version` changes whenever somebody writes it."""

    table: str
    key: tuple[str, ...]
    owner: str | None
    version: str
    values: Values


@dataclass(frozen=True)
class Function:
    """A function: name and type of each parameter that it takes, and how many of the last ones may be left out.

    `said` are the texts with which it compares something, or functions do which it calls.
    """

    name: str
    arguments: tuple[tuple[str, str], ...]
    defaults: int
    said: tuple[str, ...]


def texts(definition: str) -> list[str]:
    """Return the texts that stand in a definition."""
    return re.findall(r"'([^']*)'::(?:text|character)", definition)


def table_of(name: str, said: Mapping[str, Any], model: Model) -> Table:
    """Return a table of which a contract says this."""
    columns = said["columns"]
    rules = {rule: one["definition"] for rule, one in said["constraints"].items()}
    indexes = [f"UNIQUE {one['definition']}" for one in said["indexes"].values() if one.get("unique")]
    parents = [
        (_names(found[1]), found[2], _names(found[3]))
        for rule in rules.values()
        if (found := re.match(r"FOREIGN KEY \(([^)]*)\) REFERENCES ([\w.]+)\(([^)]*)\)", rule))
    ]
    unique = [
        _names(found[1])
        for rule in (*rules.values(), *indexes)
        if (found := re.match(r"(?:UNIQUE|PRIMARY KEY).*?\(([\w, ]+)\)", rule))
    ]
    owner = next((one for one in OWNERS if one in columns), None)
    if owner is None and (name == model.account or (("id",), ACCOUNTS, ("id",)) in parents):
        owner = "id"
    assert owner or name in model.closed or name in model.shared, f"say in {model.__module__} who sees {name}"
    return Table(
        name=name,
        types={column: one["type"] for column, one in columns.items()},
        generated=frozenset(column for column, one in columns.items() if "generated" in one),
        nullable=frozenset(column for column, one in columns.items() if one["null"]),
        defaulted=frozenset(column for column, one in columns.items() if "default" in one or "identity" in one),
        key=_names(rules[f"{name}_pkey"].partition("(")[2].rstrip(")")),
        owner=owner,
        parents=tuple(sorted(parents, key=lambda one: len(one[0]))),
        checks={rule: text for rule, text in rules.items() if text.startswith("CHECK")},
        unique=tuple(unique),
    )


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split(", "))


_FUNCTIONS_SQL = """
SELECT p.oid::regproc::text, p.pronargdefaults,
    array_agg(coalesce(a.name, '') ORDER BY a.n) FILTER (WHERE a.n > 0),
    array_agg(format_type(a.type, NULL) ORDER BY a.n) FILTER (WHERE a.n > 0),
    bool_or(has_function_privilege(r.name, p.oid, 'EXECUTE')), pg_get_functiondef(p.oid)
FROM pg_proc AS p
CROSS JOIN unnest('{anon,authenticated,service_role}'::text[]) AS r (name)
LEFT JOIN LATERAL (
    SELECT n, t AS type, p.proargnames[n] AS name
    FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY AS x (t, n)
    WHERE r.name = 'anon'
) AS a ON TRUE
WHERE p.pronamespace = %s::regnamespace AND p.prorettype <> 'trigger'::regtype
GROUP BY p.oid
ORDER BY 1, p.pronargs
"""


def functions_of(conn: psycopg.Connection[Any], schema: str, granted: bool = False) -> list[Function]:
    """Return the functions of a schema that are no triggers, or those that one of the API's roles may call."""
    found = conn.execute(_FUNCTIONS_SQL.encode(), [schema]).fetchall()
    definitions: dict[str, str] = {}
    for name, *_, definition in found:
        definitions[_bare(name)] = definitions.get(_bare(name), "") + definition
    return [
        Function(name, tuple(zip(names or [], types or [], strict=True)), defaults, _said(_bare(name), definitions))
        for name, defaults, names, types, callable, _ in found
        if callable or not granted
    ]


def _bare(name: str) -> str:
    return name.rpartition(".")[2]


# A text, or a list of texts, after WHEN, IN, ANY, <> or an = that gives nothing a value and no error its code.
_COMPARED = re.compile(
    r"(?:\bWHEN|\bIN|\bANY|<>|(?<!:)(?<![A-Z] )=) ?\(*(?:ARRAY\[)?('\w+'(?:::\w+)?(?:,\s*'\w+'(?:::\w+)?)*)"
)


def _said(function: str, definitions: Mapping[str, str]) -> tuple[str, ...]:
    """Return the texts with which a function compares something, or those do which it calls."""
    called: set[str] = set()
    more = {function}
    while more:
        called |= more
        more = {word for one in more for word in re.findall(r"\w+", definitions[one])} & definitions.keys() - called
    compared = (text for one in called for text in _COMPARED.findall(definitions[one]))
    return tuple(sorted({word for text in compared for word in re.findall(r"'(\w+)'", text)}))
