"""What pages are made from: the contract of a system, its rules and its examples."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from runner.contract import document

HERE = Path(__file__).parents[1]

ROLES = {"user": "authenticated", "service": "service_role", "visitor": "anon"}
"""As whom an example runs, and the role that this is."""


@dataclass(frozen=True)
class Rule:
    """A row of a rule page; `names` is what enforces it, in which * stands for a part of a name."""

    id: str
    text: str
    section: str
    names: tuple[str, ...]

    def names_it(self, name: str) -> bool:
        return any(re.fullmatch(one.replace("*", r"\w+"), name) for one in self.names)


@dataclass(frozen=True)
class Example:
    """A runnable call, as a user, service or visitor."""

    function: str
    who: str
    sql: str


@dataclass(frozen=True)
class ForeignKey:
    """A foreign key of a table; `optional`: may refer to nothing; `unique`: no two rows refer to the same."""

    name: str
    columns: tuple[str, ...]
    target: str
    optional: bool
    unique: bool


@dataclass(frozen=True)
class System:
    """A system as its files describe it."""

    name: str
    contract: dict[str, Any]
    rules: tuple[Rule, ...]
    examples: dict[str, Example]
    user: str | None

    @cached_property
    def tables(self) -> dict[str, Any]:
        return dict(self.contract["tables"])

    @cached_property
    def functions(self) -> dict[str, Any]:
        """Functions by bare name: none has two forms."""
        return {key.partition("(")[0]: value for key, value in self.contract["functions"].items()}

    @cached_property
    def callable(self) -> list[str]:
        """Names of the functions that an API role may execute."""
        return [name for name, one in self.functions.items() if one["grants"]]

    @cached_property
    def foreign_keys(self) -> dict[str, list[ForeignKey]]:
        """Foreign keys by the table that has them."""
        return {name: list(_foreign_keys(table)) for name, table in self.tables.items()}

    @cached_property
    def refusals(self) -> dict[str, str]:
        """The table of every rule that a constraint, a unique index or a trigger enforces."""
        found: dict[str, str] = {}
        for name, table in self.tables.items():
            for rule in rules_of(table):
                # A rule between two tables has triggers on both: it is the one's whose name it bears.
                if rule not in found or rule.startswith(f"{name}_"):
                    found[rule] = name
        return found


def read(name: str) -> System:
    """Return what the files say about a system."""
    examples = (HERE / "examples" / f"{name}.sql").read_text(encoding="utf-8")
    user = re.search(r"^-- A user is (\S+)\.$", examples, re.M)
    parts = re.split(r"^-- (\w+), as a (user|service|visitor)$", examples, flags=re.M)[1:]
    calls = [Example(*one) for one in zip(parts[::3], parts[1::3], map(str.strip, parts[2::3]), strict=True)]
    found = {one.function: one for one in calls}
    if len(found) < len(calls):
        raise ValueError(f"examples/{name}.sql has two examples of one function")
    page = HERE / "rules" / f"{name}.md"
    rules = tuple(_rules(page.read_text(encoding="utf-8"))) if page.exists() else ()
    contract = document.read(HERE.parent / "contract" / f"{name}.json")
    return System(name, contract, rules, found, user[1] if user else None)


def keys(table: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    """Yield the columns of the primary key, if there is one, and then of each unique key that holds for all rows."""
    said = [one["definition"] for one in table["constraints"].values()]
    said += [f"UNIQUE {one['definition']}" for one in table["indexes"].values() if one.get("unique")]
    for definition in sorted(said):
        if match := re.fullmatch(r"(?:PRIMARY KEY|UNIQUE)(?: USING btree)? \(([\w, ]+)\)", definition):
            yield tuple(match[1].split(", "))


def rules_of(table: dict[str, Any]) -> list[str]:
    """Return the names that a refusal by this table can carry, in order."""
    unique = (name for name, one in table["indexes"].items() if one.get("unique"))
    raised = (name for one in table["triggers"].values() for name in one.get("raises", ()))
    return sorted({*table["constraints"], *unique, *raised})


def _foreign_keys(table: dict[str, Any]) -> Iterator[ForeignKey]:
    for name, one in table["constraints"].items():
        if match := re.match(r"FOREIGN KEY \((.*?)\) REFERENCES ([\w.]+)", one["definition"]):
            columns = tuple(match[1].split(", "))
            optional = any(table["columns"][column]["null"] for column in columns)
            yield ForeignKey(name, columns, match[2], optional, any({*key} <= {*columns} for key in keys(table)))


def _rules(page: str) -> Iterator[Rule]:
    section = id = ""
    for line in page.splitlines():
        if line.startswith("## "):
            section = line[3:]
        elif (match := re.fullmatch(r"\| (.*?) ?\| (.*) \| (.*) \|", line)) and match[1] != "id" and section:
            id = match[1] or id
            # `<table>_x_check` and `…_updated_at` speak of several at once.
            names = re.findall(r"`(?:\w+\.)?([\w<>*…-]+)(?:\(\))?`", match[3])
            if "---" not in id:
                yield Rule(id, match[2], section, tuple(re.sub(r"<\w+>|…", "*", name) for name in names))
