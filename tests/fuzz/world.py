"""A small world in an instance: people, rows of theirs in every table, and what a statement by one of them does to it.

Also what each of them may see, by the model of model.py.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import UUID

import psycopg

from runner.contract.document import contract_of
from runner.postgres.session import identifier, literal
from tests.fuzz.catalog import ACCOUNTS, Row, Table, functions_of, table_of, texts
from tests.fuzz.making import DEFAULT, FIRST_ID, ID, MARK, Maker, key_of, write
from tests.fuzz.model import MODELS, Values

Place = tuple[str, tuple[str, ...]]
"""A table and the key of a row in it."""

# Of tables that the files fill as many rows are left.
REFERENCE_ROWS = 4


@dataclass(frozen=True)
class Who:
    """Somebody who makes statements: a person with a token, or nobody in particular."""

    name: str
    sub: str | None
    id: str | None
    role: str = "authenticated"

    @property
    def claims(self) -> str:
        """What the token says."""
        return json.dumps({"role": self.role, **({"sub": self.sub} if self.sub else {})})


@dataclass(frozen=True)
class Outcome:
    """What came of a statement: rows as text, or an error with all that it says."""

    sqlstate: str | None
    constraint: str | None
    said: str
    context: str
    count: int
    names: tuple[str, ...]
    rows: tuple[tuple[str | None, ...], ...]

    @property
    def text(self) -> str:
        """All that the person got to read."""
        return "\n".join([self.said, self.context, *(value for row in self.rows for value in row if value is not None)])


class World:
    """The instance of a system in the schema of that name, on a connection of a superuser that never commits."""

    def __init__(self, conn: psycopg.Connection[Any], system: str) -> None:
        """Look at the catalog and put three people and rows of theirs into every table."""
        self.conn, self.system, self.model = conn, system, MODELS[system]
        self._notices: list[str] = []
        conn.add_notice_handler(lambda diag: self._notices.append(diag.message_primary or ""))
        conn.execute(f"SET search_path = {system}, platform, extensions, pg_temp".encode())
        contract = contract_of(conn, system, system)
        self.tables = {name: table_of(name, said, self.model) for name, said in contract["tables"].items()}
        self.views = {name: [*said["columns"]] for name, said in contract["views"].items()}
        enums = {name: said["labels"] for name, said in contract["types"].items() if "labels" in said}
        self.maker = Maker(self.model, self.tables, enums)
        self.functions = functions_of(conn, system)
        # Those that one of the API's roles may call.
        self.callable = [one for schema in (system, "platform") for one in functions_of(conn, schema, granted=True)]
        checks = (check for table in self.tables.values() for check in table.checks.values())
        self.words = sorted(
            {text for one in checks for text in texts(one)} | {one for all in enums.values() for one in all}
        )
        self.rows: Mapping[Place, Row] = {}
        self._indexed: Any = (None, None)
        self._people()
        self._fill(random.Random(system))

    @cached_property
    def probing(self) -> set[tuple[str, str]]:
        """Columns of which a UNIQUE constraint tells everybody whether a value is taken."""
        return {
            (table.name, column)
            for table in self.tables.values()
            for columns in table.unique
            if table.owner not in columns or table.owner in table.key
            for column in columns
        }

    # People and rows

    def _people(self) -> None:
        self.people = []
        for number, name in enumerate(("Ann", "Bob", "Cleo"), 1):
            sub = str(UUID(int=0x5AB << 116 | number, version=4))
            id = sub
            if self.model.account is None:
                self.conn.execute(
                    f"INSERT INTO {ACCOUNTS} (id, email) VALUES (%s, %s)".encode(), [sub, f"{name}@example.org"]
                )
            elif self.tables[self.model.account].types["id"] == "bigint":
                id = str(FIRST_ID + number)
            else:
                id = str(UUID(int=0x1D << 120 | number, version=4))
            self.people.append(Who(name, sub, id))
        self.others = [
            Who("a stranger", str(UUID(int=77, version=4)), None),
            Who("nobody", None, None),
            Who("a visitor", None, None, role="anon"),
        ]

    def _fill(self, rng: random.Random) -> None:
        for table in self._parents_first():
            # Of the rows that the files make a few are enough; that of a default is among them.
            key = f"{table.key[0]}::text"
            few = f"SELECT {key} FROM {table.name} ORDER BY {key} <> 'UTC', {key} LIMIT {REFERENCE_ROWS}"
            with self._without_triggers():
                self.conn.execute(f"DELETE FROM {table.name} WHERE {key} NOT IN ({few})".encode())
            for owner in self.people if table.owner else [None] * 3:
                for _ in range(2):
                    self._add(table, owner, rng)
            self.rows = self._read()
            owners = {row.owner for row in self.rows.values() if row.table == table.name}
            wanted = {who.id for who in self.people} if table.owner else {None}
            assert owners == wanted, f"no row could be made in {table.name}"
        views = "SELECT matviewname FROM pg_matviews WHERE schemaname = current_schema()"
        for (view,) in self.conn.execute(views).fetchall():
            self.conn.execute(f"REFRESH MATERIALIZED VIEW {view}".encode())

    def _parents_first(self) -> Iterator[Table]:
        done = {ACCOUNTS}
        while left := [table for table in self.tables.values() if table.name not in done]:
            ready = [table for table in left if {parent for _, parent, _ in table.parents} <= {*done, table.name}]
            assert ready, "tables refer to each other in a circle"
            yield from ready
            done |= {table.name for table in ready}

    @contextmanager
    def _without_triggers(self) -> Iterator[None]:
        self.conn.execute("SET LOCAL session_replication_role = replica")
        yield
        self.conn.execute("SET LOCAL session_replication_role = origin")

    def _add(self, table: Table, who: Who | None, rng: random.Random) -> None:
        """Make a row that keeps every CHECK and refers to parents of the same person, if there is room for one."""
        owner, rows = who.id if who else None, self.rows.values()
        chosen = self.maker.draft(table, owner, rows, rng)
        if who and table.name == self.model.account:
            chosen |= {self.model.token: who.sub}
        for _ in range(300):
            given = {column: value for column, value in chosen.items() if value is not DEFAULT}
            values = ", ".join(write(value, table.types[column]) for column, value in given.items())
            columns = ", ".join(map(identifier, given))
            try:
                with self.conn.transaction(), self._without_triggers():
                    insert = f"INSERT INTO {table.name} ({columns}) OVERRIDING SYSTEM VALUE VALUES ({values})"
                    self.conn.execute(insert.encode())
                return
            except (psycopg.IntegrityError, psycopg.DataError) as error:
                self.maker.mend(table, owner, rows, chosen, error, rng)

    def vary(self, kind: int, index: int, seed: int) -> None:
        """Make another world of it: with a row more, with one that is not as it was, or with one less."""
        rng = random.Random(seed)
        row = [*self.rows.values()][index % len(self.rows)]
        table = self.tables[row.table]
        parents = {column for columns, _, _ in table.parents for column in columns}
        free = [column for column in table.columns if column not in {table.owner, *table.key, *parents}]
        if kind == 0:
            self._add(table, rng.choice(self.people) if table.owner else None, rng)
        elif kind == 1 and free:
            states = [column for column in free if self.maker.states(table, column)]
            column = rng.choice(states if states and rng.random() < 0.5 else free)
            value = write(rng.choice(self.maker.values(table, column, row.owner)), table.types[column])
            self._try(f"UPDATE {row.table} AS t SET {identifier(column)} = {value} WHERE {key_of(table, row)}", False)
        else:
            self._try(f"DELETE FROM {row.table} AS t WHERE {key_of(table, row)}", True)
        self.rows = self._read()

    def _try(self, statement: str, triggers: bool) -> None:
        """Run a statement; what the rules refuse stays as it is."""
        with (
            suppress(psycopg.IntegrityError, psycopg.DataError, psycopg.errors.InsufficientPrivilege),
            self.conn.transaction(),
            nullcontext() if triggers else self._without_triggers(),
        ):
            self.conn.execute(statement.encode())

    @cached_property
    def _reading(self) -> str:
        return " UNION ALL ".join(
            f"SELECT {literal(table.name)}, t.tableoid || ' ' || t.ctid || ' ' || t.xmin,"
            f" ARRAY[{', '.join(f't.{identifier(one)}::text' for one in table.readable)}] FROM {table.name} AS t"
            for table in self.tables.values()
        )

    def _read(self) -> dict[Place, Row]:
        found = {}
        for name, version, values in self.conn.execute(self._reading.encode(), prepare=True):
            table = self.tables[name]
            row = dict(zip(table.readable, values, strict=True))
            key = tuple(row[column] for column in table.key)
            found[name, key] = Row(name, key, row[table.owner] if table.owner else None, version, row)
        # In an order that is the same when the same is done again, wherever the server puts them.
        return {place: found[place] for place in [*self.rows, *found] if place in found}

    def find(self, table: str, column: str, value: str | None) -> list[Values]:
        """Return the rows of a table that have this value in this column."""
        return [row.values for row in self.rows.values() if row.table == table and row.values[column] == value]

    # What a person does

    def run(self, who: Who, text: str) -> Outcome:
        """Let somebody make a statement; an error undoes it."""
        self._notices.clear()
        claims, role = literal(who.claims), literal(who.role)
        self.conn.execute(
            "SAVEPOINT statement;"
            f"SELECT set_config('request.jwt.claims', {claims}, TRUE), set_config('role', {role}, TRUE)".encode()
        )
        try:
            cursor = self.conn.execute(text.encode())
            result = cursor.pgresult
            assert result
            rows = [
                tuple(
                    None if (value := result.get_value(row, column)) is None else value.decode()
                    for column in range(result.nfields)
                )
                for row in range(result.ntuples)
            ]
            names = tuple((result.fname(column) or b"").decode() for column in range(result.nfields))
            outcome = Outcome(None, None, "\n".join(self._notices), "", cursor.rowcount, names, tuple(rows))
            self.conn.execute("SELECT set_config('role', 'none', TRUE); RELEASE statement")
        except psycopg.Error as error:
            if self.conn.closed:
                raise
            self.conn.execute("ROLLBACK TO statement; RELEASE statement")
            diag = error.diag
            parts = (diag.message_primary, diag.message_detail, diag.message_hint, *self._notices)
            said = "\n".join(part for part in parts if part)
            outcome = Outcome(diag.sqlstate, diag.constraint_name, said, diag.context or "", -1, (), ())
        return outcome

    @contextmanager
    def undone(self) -> Iterator[None]:
        """Undo on leaving whatever was done in the block."""
        rows, marks = self.rows, len(self.maker.marks)
        try:
            with self.conn.transaction(force_rollback=True):
                yield
        finally:
            self.rows = rows
            del self.maker.marks[marks:]

    def changed(self) -> list[tuple[Row | None, Row | None]]:
        """Look at all rows again, and return those that are not as they were: what each was, and what it is."""
        before, self.rows = self.rows, self._read()
        return [
            (before.get(place), self.rows.get(place))
            for place in before.keys() | self.rows.keys()
            if place not in before or place not in self.rows or before[place].version != self.rows[place].version
        ]

    # What a person may know

    def acts(self, who: Who) -> bool:
        """Say whether somebody is a person of this system, one who is let in."""
        if who.id is None or self.model.account is None:
            return who.id is not None
        return any(self.model.active(row) for row in self.find(self.model.account, "id", who.id))

    def owns(self, who: Who, row: Row) -> bool:
        """Say whether a row is somebody's own, to see and to deal with."""
        return row.owner is not None and row.owner == who.id and self.acts(who) and self.model.shown(row.values)

    def may_read(self, who: Who, table: str) -> bool:
        """Say whether somebody may read a table at all, whatever rows they then find."""
        shared = self.model.shared.get(table)
        return table not in self.model.closed and (who.role != "anon" or (shared is not None and shared.visitors))

    def reads(self, who: Who, row: Row) -> bool:
        """Say whether a row is among those that a table gives to somebody who reads it."""
        if not self.may_read(who, row.table):
            return False
        if shared := self.model.shared.get(row.table):
            return shared.which(row.values, self.find)
        return self.owns(who, row)

    def learns(self, who: Who, row: Row, column: str) -> bool:
        """Say whether somebody may get to know what stands in a column of a row, in whatever way."""
        if f"{row.table}.{column}" in self.model.secret:
            return False
        published = self.model.published.get(row.table)
        if (
            published
            and (published.visitors or who.role != "anon")
            and (published.columns is None or column in published.columns)
            and published.which(row.values, self.find)
        ):
            return True
        viewed = any(view.table == row.table and not view.shared for view in self.model.views.values())
        return self.reads(who, row) or (viewed and self.owns(who, row))

    def leaks(self, who: Who, statement: str, outcome: Outcome) -> list[str]:
        """Return what somebody got to read that they may not know: marks of columns, ids of rows."""
        found: list[str] = []
        told = outcome.text
        for mark in {*MARK.findall(told)} - {*MARK.findall(statement)}:
            found += self._leak(who, int(mark))
        for id in {*ID.findall(told)} - {*ID.findall(statement)} - {who.id, who.sub}:
            if self.ids().get(id) and not self.knows(who, id):
                found.append(f"{id}, of {', '.join(row.table for row in self.ids()[id])}")
        return found

    def knows(self, who: Who, id: str) -> bool:
        """Say whether an id stands anywhere where somebody may read it."""
        return any(self.learns(who, row, column) for row, column in self._indexes()[1].get(id, ()))

    def _leak(self, who: Who, mark: int) -> Iterator[str]:
        made = self.maker.marks[mark]
        secret = f"{made.table}.{made.column}" in self.model.secret
        if made.owner is not None and made.owner == who.id and self.acts(who) and not secret:
            return
        text = f"zq{mark}qz"
        rows = (row for row in self.rows.values() if any(text in (value or "") for value in row.values.values()))
        if not any(
            self.learns(who, row, name) for row in rows for name, value in row.values.items() if text in (value or "")
        ):
            yield f"{text}, from {made.column} of {made.table}"

    def ids(self) -> dict[str, list[Row]]:
        """Return the rows that each id names."""
        found: dict[str, list[Row]] = self._indexes()[0]
        return found

    def _indexes(self) -> Any:
        if self._indexed[0] is not self.rows:
            named: dict[str, list[Row]] = {}
            standing: dict[str, list[tuple[Row, str]]] = {}
            for row in self.rows.values():
                for part in row.key:
                    named.setdefault(part, []).append(row)
                for column, value in row.values.items():
                    for id in ID.findall(value or ""):
                        standing.setdefault(id, []).append((row, column))
            self._indexed = self.rows, (named, standing)
        return self._indexed[1]
