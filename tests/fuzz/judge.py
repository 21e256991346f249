"""Comparing what came of a statement with what the model says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from tests.fuzz.catalog import Row
from tests.fuzz.making import ID
from tests.fuzz.statements import TELLING, Statement
from tests.fuzz.world import Outcome, Who, World

# Bad values, broken rules, no authority or no such object, no such row, a row written twice, a state that does not fit.
REFUSALS = ("22", "23", "42", "P0", "21", "55")


def answers(outcome: Outcome) -> bool:
    """Say whether a function did its work or said why not.

    That is a bad value (class 22), a broken rule (class 23, or a rule by its name), no authority (42501), no such row
    (P0002). Anything else is a fault of the function.
    """
    state = outcome.sqlstate
    return not state or state[:2] in ("22", "23") or state in ("42501", "P0002") or outcome.constraint is not None


def judge(world: World, who: Who, one: Statement) -> Outcome:
    """Let somebody make a statement, and compare what comes of it with the model."""
    instead = None if one.probes else _with_unknown_ids(world, who, one.text)
    unknown = None
    if instead:
        with world.undone():
            unknown = world.run(who, instead)
    expected = [*_expected(world, who, one)] if one.about is not None else None
    permitted = _permitted(world, who, one)
    acts = world.acts(who)
    outcome = world.run(who, one.text)
    problems = [f"it tells {leak}" for leak in world.leaks(who, one.text, outcome)]
    if unknown and _telling(outcome) != _telling(unknown):
        problems.append(f"of an id that there is not it says something else: {unknown}")
    if outcome.sqlstate is None:
        if not permitted:
            problems.append("it is not refused")
        if expected is not None and _found(world, one, outcome) != _wanted(world, one, outcome, expected):
            problems.append(f"it should be about {[row.key for row in expected]}")
        if one.command != "SELECT":
            problems += changes(world, who, one, acts)
    elif permitted and one.harmless and outcome.sqlstate[:2] != "23":
        problems.append("it should be done")
    elif one.command == "SELECT" and permitted and TELLING not in one.text:
        problems.append("it should be answered")
    elif not (answers(outcome) if one.command == "CALL" else outcome.sqlstate[:2] in REFUSALS):
        problems.append("that is no refusal")
    elif not permitted and one.command != "CALL" and outcome.sqlstate[:2] not in ("42", "22", "55"):
        problems.append("it is not refused for want of authority")
    assert not problems, f"{who.name}: {one.text}\n{problems}\n{outcome}"
    return outcome


def _permitted(world: World, who: Who, one: Statement) -> bool:
    """Say whether somebody has the command at all, of any row."""
    model = world.model
    if one.command == "CALL":
        return True
    if view := model.views.get(one.table):
        published = model.published.get(view.table)
        visitors = view.shared and published is not None and published.visitors
        return one.command == "SELECT" and (visitors or who.role != "anon")
    if one.table not in world.tables:
        return False
    writes = model.writes.get(one.table, "") if who.role != "anon" else ""
    if one.command == "SELECT":
        return world.may_read(who, one.table) and ("FOR UPDATE" not in one.text or "U" in writes)
    return one.command[0] in writes


def _expected(world: World, who: Who, one: Statement) -> Iterator[Row]:
    """Yield the rows that a statement concerns, of those that its condition picks."""
    model = world.model
    view = model.views.get(one.table)
    for row in one.about or ():
        if view and view.shared:
            if model.published[view.table].which(row.values, world.find):
                yield row
        elif view:
            if world.owns(who, row):
                yield row
        elif world.reads(who, row) if one.command == "SELECT" else world.owns(who, row):
            yield row


def _found(world: World, one: Statement, outcome: Outcome) -> object:
    """Return what a statement was about: the ids, or how many."""
    if one.command == "INSERT":
        return None
    if outcome.names == ("count",) and len(outcome.rows) == 1 and "count(*)" in one.text:
        return int(outcome.rows[0][0] or -1)
    view = world.model.views.get(one.table)
    if view and view.written_down:
        return None
    key = (view.named,) if view else world.tables[one.table].key
    if {*key} <= {*outcome.names}:
        places = [outcome.names.index(column) for column in key]
        return sorted(tuple(row[place] for place in places) for row in outcome.rows)
    return outcome.count


def _wanted(world: World, one: Statement, outcome: Outcome, expected: list[Row]) -> object:
    found = _found(world, one, outcome)
    if not isinstance(found, list):
        return found if found is None else len(expected)
    view = world.model.views.get(one.table)
    if one.command == "UPDATE":
        # Their keys may be others now; then it is not to be.
        return sorted(row.key for row in expected)
    return sorted((row.values[view.key],) if view else row.key for row in expected)


def changes(world: World, who: Who, one: Statement, acts: bool) -> Iterator[str]:
    """Yield what a statement changed that is not for this person to change."""
    known = world.ids()
    for old, new in world.changed():
        row = new or old
        assert row
        if row.owner is None and row.table in world.model.notes:
            continue
        if not acts or any(version.owner != who.id for version in (old, new) if version):
            yield f"it changes {row.table} {row.key} of {old and old.owner} to one of {new and new.owner}"
        elif one.command == "UPDATE" and row.table == one.table and not (old and new):
            yield f"it gives another key to {row.table} {row.key}"
        elif new:
            yield from _attachments(world, who, old, new, known)


def _attachments(world: World, who: Who, old: Row | None, new: Row, known: dict[str, list[Row]]) -> Iterator[str]:
    """Yield what a row was attached to that its owner knows nothing of."""
    table = world.tables[new.table]
    for column, value in new.values.items():
        if value is None or (old and old.values[column] == value) or f"{new.table}.{column}" in world.model.free:
            continue
        if table.types[column].startswith(("uuid", "bigint")):
            for id in ID.findall(value):
                rows = [*known.get(id, []), *world.ids().get(id, [])]
                if rows and not any(row.owner == who.id or world.learns(who, row, "id") for row in rows):
                    yield f"attaches {new.table} {new.key} by {column} to {[row.table for row in rows]}"


def _with_unknown_ids(world: World, who: Who, text: str) -> str | None:
    """Return the statement with ids that there are not in the place of those that somebody does not know of."""

    def other(match: re.Match[str]) -> str:
        id = match[0]
        if id == who.id or id not in world.ids() or world.knows(who, id):
            return id
        return f"{id[:-6]}dead77" if len(id) == 36 else str(int(id) + 50_000_000)

    swapped = ID.sub(other, text)
    return swapped if swapped != text else None


def _telling(outcome: Outcome) -> tuple[Any, ...]:
    """Return what an outcome tells apart from ids and times."""
    said = re.sub(r"zq\d+qz", "...", ID.sub("...", outcome.said))
    return outcome.sqlstate, outcome.constraint, outcome.count, said
