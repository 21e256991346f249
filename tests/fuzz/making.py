"""Making values and rows: what a column may hold, and rows that keep every CHECK, found by trying.

A text in a row is a mark: where it turns up, it says for which column and of whose row it was made.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import psycopg

from runner.postgres.session import literal
from tests.fuzz.catalog import ACCOUNTS, Row, Table
from tests.fuzz.model import Model
from tests.vectors import vector

MARK = re.compile(r"zq(\d+)qz")
# Ids that are numbers are this large, so that they can be told from others.
FIRST_ID = 910_000_000_000
ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|91\d{10}")

DEFAULT = object()


@dataclass(frozen=True)
class Mark:
    """Of what a text was made: the table's column, and the id of the person whose row it is, if it is anybody's."""

    table: str
    column: str
    owner: str | None


@dataclass
class Maker:
    """Makes values for the tables and types of a system, and remembers the marks in them."""

    model: Model
    tables: Mapping[str, Table]
    enums: Mapping[str, Sequence[str]]
    marks: list[Mark] = field(default_factory=list)

    def mark(self, table: str, column: str, owner: str | None) -> str:
        """Return a text that there is nowhere else."""
        self.marks.append(Mark(table, column, owner))
        return f"zq{len(self.marks) - 1}qz"

    def values(self, table: Table, column: str, owner: str | None) -> list[str]:
        """Return texts that a column might take, whatever its CHECKs, the most telling first."""
        return self.of_type(table.types[column], self.mark(table.name, column, owner), table.said[column], owner)

    def states(self, table: Table, column: str) -> list[str]:
        """Return what a column may hold that is a switch, or of which its type or a CHECK names the values."""
        if table.types[column] == "boolean":
            return ["t", "f"]
        return [*self.enums.get(table.types[column], ()), *table.said[column]]

    def of_type(self, type_: str, mark: str, said: Sequence[str] = (), owner: str | None = None) -> list[str]:
        """Return texts of a type, the most telling first; `said` are texts that a rule names."""
        base = type_.partition("(")[0]
        number = int(mark[2:-2])
        if type_ in self.enums:
            return [*self.enums[type_]]
        if type_.endswith("[]"):
            return ["{" + mark + "}" if base in ("text[]", "character varying") else "{}", "{}"]
        if base in ("text", "character varying"):
            # As an e-mail address, a path, a version, a schedule, the hash of a token or a password, a number.
            return [
                mark, *said, f"{mark}@example.org", f"{owner}/{mark}", f"1.0.{number}", "* * * * *", f"{number:064x}",
                f"$argon2id$v=19$m=65536,t=3,p=4${number:022d}${number:043d}", "5",
            ]  # fmt: skip
        if base == "jsonb":
            personality = {
                "tone": "warm",
                "focus": [mark],
                "constraints": [mark],
                "examples": [{"situation": mark, "response": mark}],
            }
            several: list[Any] = [{mark: mark}, {mark: [mark]}, {mark: 0.5}, [mark], mark, {}, [], personality]
            return [json.dumps(one) for one in several]
        if base == "vector":
            return [vector(1.0, number / 1000)]
        days = ("2026-01-15", "2026-03-15", "2026-02-15", "2025-12-15")
        return {
            "boolean": ["t", "f"],
            "uuid": [str(UUID(int=number << 64 | 0xFACE, version=4))],
            "date": [*days],
            "timestamp with time zone": [f"{day} 12:00+00" for day in days],
            "inet": ["10.0.0.7"],
            "interval": ["90 days", "0"],
            "integer": ["1", "0", "50", "3"],
            "bigint": ["1", "0", "50", "3"],
            "regclass": ["pg_class"],
        }.get(base, ["1", "0", "0.5", "50", "3"])

    def draft(self, table: Table, owner: str | None, rows: Collection[Row], rng: random.Random) -> dict[str, Any]:
        """Return a value, None or DEFAULT for each column of a row to be, of which `rows` may be the parents."""
        chosen: dict[str, Any] = {}
        # Of people nothing is said beyond what has to be.
        plain = table.name == self.model.account
        for column in table.columns:
            states = self.states(table, column)
            chosen[column] = self.values(table, column, owner)[0]
            if column in table.key and table.types[column] == "bigint":
                chosen[column] = str(FIRST_ID + 10_000 + len(self.marks))
            elif column in table.key and table.types[column] == "uuid":
                chosen[column] = str(UUID(int=rng.getrandbits(128), version=4))
            elif states and not plain and rng.random() < 0.75:
                chosen[column] = rng.choice(states)
            elif column in table.defaulted and (plain or rng.random() < 0.5):
                chosen[column] = DEFAULT
            elif column in table.nullable and (plain or rng.random() < 0.5):
                chosen[column] = None
        for columns, parent, theirs in table.parents:
            pairs = [pair for pair in zip(columns, theirs, strict=True) if pair[0] in chosen]
            parents = [row for row in rows if row.table == parent != table.name and row.owner in (None, owner)]
            if parents:
                picked = rng.choice(parents).values
                chosen |= {mine: picked[other] for mine, other in pairs}
            elif parent != ACCOUNTS:
                chosen |= {mine: None for mine, _ in pairs if mine in table.nullable and mine != table.owner}
        if table.owner:
            chosen[table.owner] = owner
        return chosen

    def mend(
        self,
        table: Table,
        owner: str | None,
        rows: Collection[Row],
        chosen: dict[str, Any],
        error: psycopg.Error,
        rng: random.Random,
    ) -> None:
        """Choose something else where a constraint refused a draft."""
        fixed = {table.owner, *table.key, *(column for columns, _, _ in table.parents for column in columns)}
        rule = error.diag.constraint_name or ""
        concerned = [error.diag.column_name] if error.diag.column_name else [*chosen]
        if rule in table.checks:
            concerned = table.concerned[rule]
        elif rng.random() < 0.5:
            # One that is taken, perhaps: with other parents.
            fresh = self.draft(table, owner, rows, rng)
            chosen |= {column: fresh[column] for column in chosen if column in fixed}
        concerned = [column for column in concerned if column not in fixed or column in table.nullable]
        for column in rng.sample(concerned, min(len(concerned), rng.choice([1, 1, 2]))):
            options: list[Any] = [*self.values(table, column, owner)]
            options += [None] if column in table.nullable else []
            options += [DEFAULT] if column in table.defaulted else []
            chosen[column] = rng.choice(options)


def write(value: Any, type_: str) -> str:
    """Return a value as it stands in a statement."""
    if value is DEFAULT:
        return "DEFAULT"
    if value is None:
        return f"NULL::{type_}"
    if zeros := re.search(r"(,0){9,}(?=]$)", value):
        # So that a person can read it.
        return f"('{value[: zeros.start()]}' || repeat(',0', {len(zeros[0]) // 2}) || ']')::{type_}"
    return f"{literal(value)}::{type_}"


def key_of(table: Table, row: Row) -> str:
    """Return the condition that holds for a row alone, of the table under the name t."""
    pairs = zip(table.key, row.key, strict=True)
    return " AND ".join(f"t.{column} = {write(value, table.types[column])}" for column, value in pairs)
