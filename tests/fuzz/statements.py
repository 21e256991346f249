"""Statements that somebody might make who knows the schema and every id, drawn at random.

Each says what the model expects of it, as far as that follows from whose rows it is about.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from hypothesis import strategies as st

from runner.postgres.session import identifier
from tests.fuzz.catalog import Function, Row, Table
from tests.fuzz.making import DEFAULT, ID, MARK, key_of, write
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
    # Not those of sequences, which go on where they are when the same is done again.
    ids = [id for id in world.ids() if ID.fullmatch(id) and id.isdigit() == (type_ == "bigint")]
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
    if about and draw(st.integers(0, 3)) == 0:
        # To what they are.
        column = _one(draw, table.columns)
        sets = f"{identifier(column)} = t.{identifier(column)}"
        harmless, probes = all(world.owns(who, row) for row in about), False
    else:
        # Often what says whose a row is and on what it hangs.
        references = [name for name, type_ in table.types.items() if type_.startswith(("uuid", "bigint"))]
        some = references if references and draw(st.integers(0, 2)) == 0 else [*table.types]
        columns = draw(st.lists(st.sampled_from(some), min_size=1, max_size=_one(draw, [1, 1, 3]), unique=True))
        values = {column: write(_value(draw, world, who, table, column), table.types[column]) for column in columns}
        sets = ", ".join(f"{identifier(column)} = {value}" for column, value in values.items())
        harmless, probes = False, any((table.name, column) in world.probing for column in columns)
    text = f"UPDATE {table.name} AS t SET {sets} WHERE {where}{_returning(draw)}"
    if draw(st.integers(0, 7)) == 0:
        text = f"{_merge(table, where)} UPDATE SET {sets}"
    return Statement(text, "UPDATE", table.name, about, harmless, probes)


def _delete(draw: Draw, world: World, who: Who) -> Statement:
    table = _table(draw, world, "DELETE")
    where, about = _where(draw, world, who, table)
    harmless = about is not None and all(world.owns(who, row) for row in about)
    text = f"DELETE FROM {table.name} AS t WHERE {where}{_returning(draw)}"
    if draw(st.integers(0, 7)) == 0:
        text = f"{_merge(table, where)} DELETE"
    return Statement(text, "DELETE", table.name, about, harmless)


def _merge(table: Table, where: str) -> str:
    return f"MERGE INTO {table.name} AS t USING (SELECT) AS s ON {where} WHEN MATCHED THEN"


def _returning(draw: Draw) -> str:
    return _one(draw, ["", " RETURNING *"])


def _call(draw: Draw, world: World, who: Who) -> Statement:
    return call(draw, world, who, _one(draw, world.callable if draw(st.integers(0, 3)) else world.functions), argument)


Argument = Callable[[Draw, World, Who, Function, str, str], str]


def call(draw: Draw, world: World, who: Who, function: Function, value: Argument) -> Statement:
    """Draw a call of a function; `value` draws the expression for a parameter of this name and type."""
    count = len(function.arguments) - draw(st.integers(0, function.defaults))
    values = (value(draw, world, who, function, name, type_) for name, type_ in function.arguments[:count])
    return Statement(f"SELECT * FROM {function.name}({', '.join(values)})", "CALL")


def argument(draw: Draw, world: World, who: Who, function: Function, name: str, type_: str) -> str:
    """Draw an argument: an id of anybody, a text that rules name or that is in a row, or another of its type."""
    kind = draw(st.integers(0, 11))
    if kind == 0:
        return f"NULL::{type_}"
    base = type_.removesuffix("[]")
    if base in ("uuid", "bigint"):
        ids = [_meant_id(draw, world, who, function, name, base) for _ in range(2 if type_ != base else 1)]
        return write("{" + ",".join(ids) + "}" if type_ != base else ids[0], type_)
    if base == "text" and kind < 10:
        own = [row.values for row in world.rows.values() if kind < 3 and world.owns(who, row)]
        meant = [
            text
            for table in world.tables.values()
            for column, texts in table.said.items()
            if _words(column) & _words(name)
            for text in texts
        ]
        meant = [*meant, *function.said] if kind < 8 else []
        text = _one(draw, [value for row in own for value in row.values() if value] or meant or world.words)
        return write(text if type_ == base else "{" + text + "}" if text.isidentifier() else "{}", type_)
    return write(_one(draw, world.maker.of_type(type_, world.maker.mark(name, name, who.id), (), who.id)), type_)


def _meant_id(draw: Draw, world: World, who: Who, function: Function, name: str, type_: str) -> str:
    """Draw an id of a row that a parameter is about, as its name or the function's says; sometimes any."""
    words = _words(name) or _words(function.name)
    tables = [table for table in world.tables.values() if _words(table.name) & words and table.types.get("id") == type_]
    kind = draw(st.integers(0, 7))
    if "user" in words and kind < 7:
        return _one(draw, [who.id or "0", *(str(one.id) for one in world.people)])
    row = _row(draw, world, who, _one(draw, tables)) if tables and kind < 6 else None
    return row.values["id"] or "0" if row else _any_id(draw, world, type_)


def _words(name: str) -> set[str]:
    """Return the words of a name as far as they tell something, in the singular."""
    words = name.rpartition(".")[2].split("_")
    known = {"doc": "document", "activities": "activity", "memories": "memory", "entries": "entry", "bases": "base"}
    return {known.get(word, word.removesuffix("s")) for word in words} - {"p", "id", "get", "match", "query"}
