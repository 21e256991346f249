"""Statements that somebody might make who knows the schema and every id, drawn at random.

Each says what the model expects of it, as far as that follows from whose rows it is about.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from hypothesis import strategies as st

from runner.database import identifier
from tests.fuzz.catalog import Function, Row, Table
from tests.fuzz.making import DEFAULT, MARK, key_of, write
from tests.fuzz.world import Who, World

Drawn = TypeVar("Drawn")
Draw = Callable[[st.SearchStrategy[Any]], Any]

# A condition that fails with the row in its message: nobody may be told of a row that is not theirs.
TELLING = "(t::text)::integer = 0"


@dataclass(frozen=True)
class Statement:
    """A statement; `command` is one of SELECT, INSERT, UPDATE, DELETE and CALL, `table` what it is about.

    `about` are the rows that its condition picks of all there are, None where that cannot be said. `harmless` is one
    that changes nothing but rows of one's own to what they were. `probes` is one that a UNIQUE constraint may answer.
    """

    text: str
    command: str
    table: str = ""
    about: Sequence[Row] | None = None
    harmless: bool = False
    probes: bool = False


def statement(draw: Draw, world: World, who: Who) -> Statement:
    """Draw a statement by somebody."""
    kind = _one(draw, [_select, _view, _insert, _insert, _update, _update, _update, _delete, _call, _call])
    return kind(draw, world, who)


def _one(draw: Draw, options: Sequence[Drawn]) -> Drawn:
    return options[draw(st.integers(0, len(options) - 1))]


def _table(draw: Draw, world: World, command: str) -> Table:
    """Draw a table, most often one in which users may do this."""
    allowed = [name for name, commands in world.model.writes.items() if command[0] in commands]
    names = allowed if allowed and draw(st.integers(0, 7)) else [*world.tables]
    return world.tables[_one(draw, names)]


def _row(draw: Draw, world: World, who: Who, table: Table) -> Row | None:
    """Draw a row of a table, most often one's own."""
    rows = [row for row in world.rows.values() if row.table == table.name]
    own = [row for row in rows if world.owns(who, row)]
    return _one(draw, own if own and draw(st.integers(0, 3)) else rows) if rows else None


def _where(draw: Draw, world: World, who: Who, table: Table) -> tuple[str, Sequence[Row] | None]:
    """Draw a condition on the table t, and say which rows it picks."""
    rows = [row for row in world.rows.values() if row.table == table.name]
    kind = draw(st.integers(0, 9))
    if kind == 0:
        return "TRUE", rows
    if kind == 1:
        return TELLING, None
    if kind == 2 and table.owner:
        other = _one(draw, world.people)
        test = f"t.{table.owner} = {write(other.id, table.types[table.owner])}"
        return test, [row for row in rows if row.owner == other.id]
    if kind == 3 and table.parents:
        columns, parent, theirs = _one(draw, table.parents)
        if parent in world.tables and world.may_read(who, parent):
            return f"t.{columns[0]} IN (SELECT p.{theirs[0]} FROM {parent} AS p)", None
    row = _row(draw, world, who, table)
    if row is None:
        return "FALSE", []
    return key_of(table, row), [row]


def _select(draw: Draw, world: World, who: Who) -> Statement:
    table = world.tables[_one(draw, [*world.tables])]
    where, about = _where(draw, world, who, table)
    what = _one(draw, ["*", "*", "count(*)", _one(draw, [*table.types])])
    lock = " FOR UPDATE" if what != "count(*)" and draw(st.integers(0, 9)) == 0 else ""
    return Statement(f"SELECT {what} FROM {table.name} AS t WHERE {where}{lock}", "SELECT", table.name, about)


def _view(draw: Draw, world: World, who: Who) -> Statement:
    if not world.views:
        return _select(draw, world, who)
    name = _one(draw, [*world.views])
    view = world.model.views.get(name)
    where = _one(draw, ["TRUE", TELLING])
    about = None
    if view:
        about = [row for row in world.rows.values() if row.table == view.table]
        if where == TELLING:
            about = None
        elif draw(st.booleans()) and about:
            row = _one(draw, about)
            about = [other for other in about if other.values[view.key] == row.values[view.key]]
            where = f"t.{view.named} = {write(row.values[view.key], world.tables[view.table].types[view.key])}"
    command = _one(draw, ["SELECT", "SELECT", "SELECT", "UPDATE", "DELETE"])
    if command == "SELECT":
        return Statement(f"SELECT * FROM {name} AS t WHERE {where}", command, name, about)
    if command == "UPDATE":
        column = _one(draw, world.views[name])
        return Statement(f"UPDATE {name} AS t SET {identifier(column)} = DEFAULT WHERE {where}", command, name, about)
    return Statement(f"DELETE FROM {name} AS t WHERE {where}", command, name, about)


def _value(draw: Draw, world: World, who: Who, table: Table, column: str) -> Any:
    """Draw a value for a column: of a row that is there, with ids of anybody, or another that it might take."""
    type_ = table.types[column]
    kind = draw(st.integers(0, 9))
    if kind == 0:
        return None
    if kind == 1:
        return DEFAULT
    if type_.startswith(("uuid", "bigint")) and kind < 8:
        value = _id(draw, world, who, table, column)
        return "{" + value + "}" if type_.endswith("[]") else value
    if kind < 5 and column in table.readable:
        known = [row.values[column] for row in world.rows.values() if row.table == table.name and world.owns(who, row)]
        if known:
            return _one(draw, known)
    return _one(draw, world.maker.values(table, column, who.id))


def _id(draw: Draw, world: World, who: Who, table: Table, column: str) -> str:
    """Draw an id: of a person, of a row of the table that the column refers to, or of any row."""
    if column == table.owner:
        return _one(draw, [str(one.id) for one in world.people])
    for columns, parent, theirs in table.parents:
        if column in columns and parent in world.tables:
            row = _row(draw, world, who, world.tables[parent])
            value = row.values[theirs[columns.index(column)]] if row else None
            if value:
                return value
    return _any_id(draw, world, table.types[column].removesuffix("[]"))


def _any_id(draw: Draw, world: World, type_: str) -> str:
    """Draw an id of this type of any row."""
    ids = [id for id in world.ids() if (len(id) == 36) == (type_ == "uuid") and (type_ == "uuid" or id.isdigit())]
    return _one(draw, ids) if ids else "0"


def _insert(draw: Draw, world: World, who: Who) -> Statement:
    table = _table(draw, world, "INSERT")
    like = _row(draw, world, who, table)
    columns = [column for column in table.columns if column in table.readable]
    given: dict[str, Any] = {}
    if like is not None:
        # As one that is there, under one's own name, but without what would be there twice.
        left_out = {column for column in table.key if column in table.defaulted}
        given = {column: like.values[column] for column in columns if column not in left_out}
        if table.owner and who.id and draw(st.booleans()):
            given[table.owner] = who.id
        # Of what another wrote nothing is known; something else stands in its place.
        for column, value in given.items() if not world.owns(who, like) else ():
            if value is not None and MARK.search(value):
                given[column] = world.maker.values(table, column, who.id)[0]
    for column in draw(st.lists(st.sampled_from(columns), max_size=2)):
        if draw(st.booleans()):
            given.pop(column, None)
        else:
            given[column] = _value(draw, world, who, table, column)
    probes = any((table.name, column) in world.probing for column in given)
    text = f"INSERT INTO {table.name} AS t DEFAULT VALUES"
    if given:
        values = ", ".join(write(value, table.types[column]) for column, value in given.items())
        over = "" if draw(st.integers(0, 3)) else " OVERRIDING SYSTEM VALUE"
        text = f"INSERT INTO {table.name} AS t ({', '.join(map(identifier, given))}){over} VALUES ({values})"
    conflict = draw(st.integers(0, 5))
    if conflict == 0:
        text += " ON CONFLICT DO NOTHING"
    elif conflict == 1 and table.unique:
        on = ", ".join(_one(draw, table.unique))
        column = _one(draw, table.columns)
        value = _one(draw, [f"excluded.{identifier(column)}", "DEFAULT"])
        text += f" ON CONFLICT ({on}) DO UPDATE SET {identifier(column)} = {value}"
    return Statement(text + _returning(draw), "INSERT", table.name, None, probes=probes)


def _update(draw: Draw, world: World, who: Who) -> Statement:
    table = _table(draw, world, "UPDATE")
    where, about = _where(draw, world, who, table)
    returning = _returning(draw)
    if about and draw(st.integers(0, 3)) == 0:
        # To what they are.
        column = _one(draw, table.columns)
        harmless = column not in table.generated and all(world.owns(who, row) for row in about)
        text = f"UPDATE {table.name} AS t SET {identifier(column)} = t.{identifier(column)} WHERE {where}{returning}"
        return Statement(text, "UPDATE", table.name, about, harmless)
    columns = draw(st.lists(st.sampled_from([*table.types]), min_size=1, max_size=3, unique=True))
    sets = {column: _value(draw, world, who, table, column) for column in columns}
    given = ", ".join(f"{identifier(column)} = {write(value, table.types[column])}" for column, value in sets.items())
    probes = any((table.name, column) in world.probing for column in columns)
    return Statement(
        f"UPDATE {table.name} AS t SET {given} WHERE {where}{returning}", "UPDATE", table.name, about, probes=probes
    )


def _delete(draw: Draw, world: World, who: Who) -> Statement:
    table = _table(draw, world, "DELETE")
    where, about = _where(draw, world, who, table)
    harmless = about is not None and all(world.owns(who, row) for row in about)
    return Statement(
        f"DELETE FROM {table.name} AS t WHERE {where}{_returning(draw)}", "DELETE", table.name, about, harmless
    )


def _returning(draw: Draw) -> str:
    return _one(draw, ["", " RETURNING *"])


def _call(draw: Draw, world: World, who: Who) -> Statement:
    return call(draw, _one(draw, world.functions), lambda name, type_: argument(draw, world, who, name, type_))


def call(draw: Draw, function: Function, value: Callable[[str, str], str]) -> Statement:
    """Draw a call of a function: `value` gives the expression for a parameter's name and type."""
    count = len(function.arguments) - draw(st.integers(0, function.defaults))
    values = ", ".join(value(name, type_) for name, type_ in function.arguments[:count])
    return Statement(f"SELECT * FROM {function.name}({values})", "CALL")


def argument(draw: Draw, world: World, who: Who, name: str, type_: str) -> str:
    """Draw an argument of a type: an id of anybody, a text that rules name or that is in a row, or another."""
    kind = draw(st.integers(0, 9))
    if kind == 0:
        return f"NULL::{type_}"
    base = type_.removesuffix("[]")
    if base in ("uuid", "bigint"):
        ids = [_any_id(draw, world, base) for _ in range(2 if type_ != base else 1)]
        if kind < 4:
            ids[0] = who.id or ids[0]
        return write("{" + ",".join(ids) + "}" if type_ != base else ids[0], type_)
    texts = [value for row in world.rows.values() if world.owns(who, row) for value in row.values.values() if value]
    if base == "text" and kind < 4 and texts:
        return write(_one(draw, texts) if type_ == base else "{}", type_)
    if base == "text" and kind < 7:
        word = _one(draw, world.words)
        return write(word if type_ == base else "{" + word + "}", type_)
    return write(_one(draw, world.maker.of_type(type_, world.maker.mark(name, name, who.id), (), who.id)), type_)
