"""A small world in an instance: people, rows of theirs in every table, and what a statement by one of them does to it.

Everything is made from the catalog: which tables, columns and functions there are, and rows that keep the CHECKs. A
text in a row is a mark: where it turns up, it says from which row and column it came.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import UUID

import psycopg

from runner.contracts import contract_of
from runner.database import identifier, literal
from tests.fuzz.model import MODELS, OWNERS, Values
from tests.vectors import vector

Key = tuple[str, ...]
"""The values of a row's primary key."""

MARK = re.compile(r"zq(\d+)qz")
# Ids that count are this large, so that they can be told from other numbers.
FIRST_ID = 910_000_000_000
ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|91\d{10}")
# Of tables that the files fill as many rows are left.
REFERENCE_ROWS = 4

DEFAULT = object()


@dataclass(frozen=True)
class Table:
    """A table or view as the catalog has it; of generated columns only the names."""

    name: str
    types: Mapping[str, str]
    generated: frozenset[str]
    key: tuple[str, ...]
    owner: str | None
    nullable: frozenset[str]
    defaulted: frozenset[str]
    parents: tuple[tuple[tuple[str, ...], str, tuple[str, ...]], ...]
    checks: Mapping[str, str]
    unique: tuple[tuple[str, ...], ...]

    @property
    def columns(self) -> list[str]:
        """The columns that can be written."""
        return [name for name in self.types if name not in self.generated]


@dataclass(frozen=True)
class Function:
    """A function: its name, and for each parameter that it takes name and type."""

    name: str
    arguments: tuple[tuple[str, str], ...]
    defaults: int


@dataclass(frozen=True)
class Row:
    """A row as it stands; `version` changes whenever somebody writes it."""

    table: str
    key: Key
    owner: str | None
    version: str
    values: Values


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
        self.conn.execute(f"SET search_path = {system}, platform, extensions, pg_temp".encode())
        self._contract = contract_of(conn, system, system)
        self.tables = {name: self._table(name, said) for name, said in self._contract["tables"].items()}
        self.views = {name: [*said["columns"]] for name, said in self._contract["views"].items()}
        self.functions = self._functions(system)
        self.enums = {name: said["labels"] for name, said in self._contract["types"].items() if "labels" in said}
        self._marks: list[tuple[str, str, str | None]] = []
        self._notices: list[str] = []
        self._indexed: Any = (None, None)
        conn.add_notice_handler(lambda diag: self._notices.append(diag.message_primary or ""))
        self.rows: Mapping[tuple[str, Key], Row] = {}
        self._people()
        self._fill()

    # What the catalog says

    def _table(self, name: str, said: dict[str, Any]) -> Table:
        constraints = {rule: one["definition"] for rule, one in said["constraints"].items()}
        parents = []
        for definition in constraints.values():
            if match := re.match(r"FOREIGN KEY \(([^)]*)\) REFERENCES ([\w.]+)\(([^)]*)\)", definition):
                parents.append((tuple(match[1].split(", ")), match[2], tuple(match[3].split(", "))))
        unique = [
            tuple(match[1].split(", "))
            for definition in (
                *constraints.values(),
                *(f"UNIQUE {i['definition']}" for i in said["indexes"].values() if i.get("unique")),
            )
            if (match := re.match(r"(?:UNIQUE|PRIMARY KEY).*?\(([\w, ]+)\)", definition))
        ]
        key = re.match(r"PRIMARY KEY \(([^)]*)\)", constraints[f"{name}_pkey"])
        assert key
        columns = said["columns"]
        owner = next((one for one in OWNERS if one in columns), None)
        if owner is None and (name == self.model.account or (("id",), "auth.users", ("id",)) in parents):
            owner = "id"
        known = name in self.model.closed or name in self.model.shared
        assert owner or known, f"say in tests/fuzz/model.py who sees the rows of {name}"
        return Table(
            name,
            {column: one["type"] for column, one in columns.items()},
            frozenset(column for column, one in columns.items() if "generated" in one),
            tuple(key[1].split(", ")),
            owner,
            frozenset(column for column, one in columns.items() if one["null"]),
            frozenset(column for column, one in columns.items() if "default" in one or "identity" in one),
            tuple(sorted(parents, key=lambda one: len(one[0]))),
            {rule: text for rule, text in constraints.items() if text.startswith("CHECK")},
            tuple(unique),
        )

    def _functions(self, schema: str, granted: bool = False) -> list[Function]:
        rows = self.conn.execute(
            """
            SELECT p.oid::regproc::text, p.pronargdefaults, array_agg(coalesce(a.name, '') ORDER BY a.n) FILTER (WHERE a.n > 0),
                array_agg(format_type(a.type, NULL) ORDER BY a.n) FILTER (WHERE a.n > 0)
            FROM pg_proc AS p
            LEFT JOIN LATERAL (
                SELECT n, t AS type, p.proargnames[n] AS name
                FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY AS x (t, n)
            ) AS a ON TRUE
            WHERE p.pronamespace = %(schema)s::regnamespace AND p.prorettype <> 'trigger'::regtype AND (
                NOT %(granted)s OR EXISTS (
                    SELECT FROM unnest('{anon,authenticated,service_role}'::text[]) AS role
                    WHERE has_function_privilege(role, p.oid, 'EXECUTE')
                )
            )
            GROUP BY p.oid ORDER BY p.proname
            """,
            {"schema": schema, "granted": granted},
        ).fetchall()
        return [
            Function(name, tuple(zip(names or [], types or [], strict=True)), defaults)
            for name, defaults, names, types in rows
        ]

    @cached_property
    def callable(self) -> list[Function]:
        """The functions that one of the API's roles may call, those of platform too."""
        return [*self._functions(self.system, granted=True), *self._functions("platform", granted=True)]

    @cached_property
    def words(self) -> list[str]:
        """Texts that CHECKs and types name, in a stable order."""
        checks = (check for table in self.tables.values() for check in table.checks.values())
        said = {text for check in checks for text in re.findall(r"'([^']*)'::(?:text|character)", check)}
        return sorted({*said, *(label for labels in self.enums.values() for label in labels)})

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
            sub = str(UUID(int=0x5AB0_0000_4000_8000_0000_0000_0000 << 16 | number, version=4))
            id = sub
            if self.model.account is None:
                self.conn.execute("INSERT INTO auth.users (id, email) VALUES (%s, %s)", [sub, f"{name}@example.org"])
            elif self.tables[self.model.account].types["id"] == "bigint":
                id = str(FIRST_ID + number)
            else:
                id = str(UUID(int=0x1D00_0000_4000_8000_0000_0000_0000 << 16 | number, version=4))
            self.people.append(Who(name, sub, id))
        self.others = [
            Who("a stranger", str(UUID(int=77, version=4)), None),
            Who("nobody", None, None),
            Who("a visitor", None, None, role="anon"),
        ]

    def _fill(self) -> None:
        rng = random.Random(self.system)
        with self._without_triggers():
            for table in self._parents_first():
                # Of the rows that the files make a few are enough; that of a default is among them.
                key = table.key[0]
                few = (
                    f"SELECT {key}::text FROM {table.name} ORDER BY {key}::text <> 'UTC', {key} LIMIT {REFERENCE_ROWS}"
                )
                self.conn.execute(f"DELETE FROM {table.name} WHERE {key}::text NOT IN ({few})".encode())
                for owner in self.people if table.owner else [None, None, None]:
                    for _ in range(2):
                        self.add(table.name, owner, rng)
        for view in self._contract["views"]:
            if self.conn.execute("SELECT relkind = 'm' FROM pg_class WHERE oid = %s::regclass", [view]).fetchone() == (
                True,
            ):
                self.conn.execute(f"REFRESH MATERIALIZED VIEW {view}".encode())
        self.rows = self._read()
        for table in self.tables.values():
            owners = {row.owner for row in self.rows.values() if row.table == table.name}
            wanted = {who.id for who in self.people} if table.owner else {None}
            assert owners == wanted, f"no row could be made in {table.name}"

    def _parents_first(self) -> list[Table]:
        done: list[Table] = []
        while len(done) < len(self.tables):
            names = {table.name for table in done}
            ready = [
                table
                for table in self.tables.values()
                if table not in done
                and all(parent in {*names, table.name, "auth.users"} for _, parent, _ in table.parents)
            ]
            assert ready
            done += ready
        return done

    @contextmanager
    def _without_triggers(self) -> Iterator[None]:
        self.conn.execute("SET LOCAL session_replication_role = replica")
        yield
        self.conn.execute("SET LOCAL session_replication_role = origin")

    def add(self, name: str, owner: Who | None, rng: random.Random) -> Key | None:
        """Make a row that keeps every CHECK and refers to parents of the same person; None when there is no room."""
        table = self.tables[name]
        chosen = self.draft(name, owner, rng)
        for _ in range(300):
            given = {column: value for column, value in chosen.items() if value is not DEFAULT}
            values = ", ".join(self.write(value, table.types[column]) for column, value in given.items())
            statement = (
                f"INSERT INTO {name} ({', '.join(map(identifier, given))}) OVERRIDING SYSTEM VALUE VALUES ({values})"
                f" RETURNING {', '.join(f'{column}::text' for column in table.key)}"
            )
            try:
                with self.conn.transaction():
                    key = self.conn.execute(statement.encode()).fetchone()
                assert key
                row = Row(name, tuple(key), owner.id if owner else None, "", self._values(name, tuple(key)))
                self.rows = {**self.rows, (name, row.key): row}
                return row.key
            except (psycopg.IntegrityError, psycopg.DataError) as error:
                self._another(table, owner, chosen, error, rng)
        return None

    def draft(self, name: str, owner: Who | None, rng: random.Random) -> dict[str, Any]:
        """Return a value, None or DEFAULT for each column of a row to be."""
        table = self.tables[name]
        chosen = {}
        for column in table.columns:
            values = self.values(table, column, owner)
            chosen[column] = values[0]
            if column in table.key and table.types[column] == "bigint":
                chosen[column] = str(FIRST_ID + 10_000 + len(self._marks))
                self._marks.append((name, column, None))
            elif column in table.key and column in table.defaulted:
                chosen[column] = (
                    str(UUID(int=rng.getrandbits(128), version=4)) if table.types[column] == "uuid" else DEFAULT
                )
            elif (states := self.states(table, column)) and name != self.model.account and rng.random() < 0.75:
                chosen[column] = rng.choice(states)
            elif column in table.defaulted and (name == self.model.account or rng.random() < 0.5):
                chosen[column] = DEFAULT
            elif column in table.nullable and (name == self.model.account or rng.random() < 0.5):
                chosen[column] = None
        for columns, parent, theirs in table.parents:
            if parent == "auth.users":
                continue
            mine = self.tables[parent].owner
            rows = [
                row.values
                for row in self.rows.values()
                if row.table == parent and (not mine or owner is None or row.owner == owner.id)
            ]
            if parent == name or not rows:
                chosen.update(
                    {
                        column: None
                        for column in columns
                        if column in chosen and column != table.owner and column in table.nullable
                    }
                )
            else:
                picked = rng.choice(rows)
                chosen.update(
                    {column: picked[other] for column, other in zip(columns, theirs, strict=True) if column in chosen}
                )
        if table.owner and owner:
            chosen[table.owner] = owner.id
        if name == self.model.account and owner:
            chosen[self.model.token] = owner.sub
        return chosen

    def _another(
        self, table: Table, owner: Who | None, chosen: dict[str, Any], error: psycopg.Error, rng: random.Random
    ) -> None:
        """Change what a constraint refused."""
        rule, named = error.diag.constraint_name or "", error.diag.column_name
        fixed = {table.owner, *table.key} | {column for columns, _, _ in table.parents for column in columns}
        if named:
            concerned = [named]
        elif rule in table.checks:
            concerned = [column for column in table.columns if re.search(rf"\b{column}\b", table.checks[rule])]
        else:
            concerned = [*table.columns]
            if rng.random() < 0.5:
                fresh = self.draft(table.name, owner, rng)
                chosen.update({column: fresh[column] for column in fixed & chosen.keys()})
        concerned = [column for column in concerned if column not in fixed or column in table.nullable]
        for column in rng.sample(concerned, min(len(concerned), rng.choice([1, 1, 2]))):
            options: list[Any] = [*self.values(table, column, owner)]
            options += [None] if column in table.nullable else []
            options += [DEFAULT] if column in table.defaulted else []
            chosen[column] = rng.choice(options)

    def mark(self, table: str, column: str, owner: Who | None) -> str:
        """Return a text that says where it stands."""
        self._marks.append((table, column, owner.id if owner else None))
        return f"zq{len(self._marks) - 1}qz"

    def values(self, table: Table, column: str, owner: Who | None) -> list[str]:
        """Return texts that a column might take, whatever its CHECKs, the most telling first."""
        type_ = table.types[column]
        said = self.said(table, column)
        return self.of_type(type_, self.mark(table.name, column, owner), said, owner)

    def states(self, table: Table, column: str) -> list[str]:
        """Return what a column may hold that is a switch, or of which types or CHECKs name values."""
        if table.types[column] == "boolean":
            return ["t", "f"]
        return [*self.enums.get(table.types[column], ()), *self.said(table, column)]

    @staticmethod
    def said(table: Table, column: str) -> list[str]:
        """Return the texts that a column's CHECKs name."""
        checks = (check for check in table.checks.values() if re.search(rf"\b{column}\b", check))
        return [text for check in checks for text in re.findall(r"'([^']*)'::(?:text|character)", check)]

    def of_type(self, type_: str, mark: str, said: Sequence[str] = (), owner: Who | None = None) -> list[str]:
        """Return texts of a type, the most telling first; `said` are texts that a rule names."""
        base = type_.partition("(")[0]
        if type_ in self.enums:
            return [*self.enums[type_]]
        if type_.endswith("[]"):
            return ["{" + mark + "}" if base in ("text[]", "character varying") else "{}", "{}"]
        if base in ("text", "character varying"):
            number = mark[2:-2]
            return [
                mark, *said, f"{mark}@example.org", f"{owner.id}/{mark}" if owner else mark, f"1.0.{number}", "* * * * *",
                f"{int(number):064x}", "$argon2id$v=19$m=65536,t=3,p=4$" + f"{int(number):022d}$" + f"{int(number):043d}", "5",
            ]  # fmt: skip
        if base == "jsonb":
            # The last is a personality.
            return [
                json.dumps(one)
                for one in (
                    {mark: mark}, {mark: [mark]}, {mark: 0.5}, [mark], mark, {}, [],
                    {
                        "tone": "warm", "focus": [mark], "constraints": [mark],
                        "examples": [{"situation": mark, "response": mark}],
                    },
                )
            ]  # fmt: skip
        if base == "vector":
            return [vector(1.0, int(mark[2:-2]) / 1000)]
        return {
            "boolean": ["t", "f"],
            "uuid": [str(UUID(int=int(mark[2:-2]) << 64 | 0xFACE, version=4))],
            "date": ["2026-01-15", "2026-02-15", "2025-12-15"],
            "timestamp with time zone": [
                "2026-01-15 12:00+00",
                "2026-03-15 12:00+00",
                "2026-02-15 12:00+00",
                "2025-12-15 12:00+00",
            ],
            "inet": ["10.0.0.7"],
            "interval": ["90 days", "0"],
        }.get(
            base,
            ["1", "0", "0.5", "50", "3"] if base in ("numeric", "double precision", "real") else ["1", "0", "50", "3"],
        )

    @staticmethod
    def write(value: Any, type_: str) -> str:
        """Write a value as it stands in a statement."""
        if value is DEFAULT:
            return "DEFAULT"
        if value is None:
            return f"NULL::{type_}"
        if zeros := re.search(r"(,0){9,}(?=]$)", value):
            # So that a person can read it.
            return f"('{value[: zeros.start()]}' || repeat(',0', {len(zeros[0]) // 2}) || ']')::{type_}"
        return f"{literal(value)}::{type_}"

    # What there is

    def _columns(self, table: Table) -> list[str]:
        return [name for name, type_ in table.types.items() if not type_.startswith(("vector", "tsvector"))]

    @cached_property
    def _reading(self) -> str:
        return " UNION ALL ".join(
            f"SELECT {literal(table.name)}, t.tableoid || ' ' || t.ctid || ' ' || t.xmin,"
            f" ARRAY[{', '.join(f't.{identifier(name)}::text' for name in self._columns(table))}] FROM {table.name} AS t"
            for table in self.tables.values()
        )

    def _read(self) -> dict[tuple[str, Key], Row]:
        found = {}
        for name, version, values in self.conn.execute(self._reading.encode(), prepare=True):
            table = self.tables[name]
            row = dict(zip(self._columns(table), values, strict=True))
            key = tuple(row[column] for column in table.key)
            found[name, key] = Row(name, key, row[table.owner] if table.owner else None, version, row)
        # In an order that is the same when the same is done again, wherever the server puts them.
        return {place: found[place] for place in [*self.rows, *found] if place in found}

    def _values(self, name: str, key: Key) -> Values:
        table = self.tables[name]
        columns = self._columns(table)
        row = self.conn.execute(
            f"SELECT {', '.join(f'{identifier(column)}::text' for column in columns)} FROM {name}"
            f" WHERE {' AND '.join(f'{column}::text = %s' for column in table.key)}".encode(),
            key,
        ).fetchone()
        assert row
        return dict(zip(columns, row, strict=True))

    # What a person does and sees

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
        rows, marks = self.rows, len(self._marks)
        try:
            with self.conn.transaction(force_rollback=True):
                yield
        finally:
            self.rows = rows
            del self._marks[marks:]

    def vary(self, kind: int, index: int, seed: int) -> None:
        """Make another world of it: with a row more, with one that is not as it was, or with one less."""
        rng = random.Random(seed)
        places = [*self.rows]
        row = self.rows[places[index % len(places)]]
        table = self.tables[row.table]
        if kind == 0:
            with self._without_triggers():
                self.add(row.table, rng.choice(self.people) if table.owner else None, rng)
        else:
            where = " AND ".join(
                f"{column} = {self.write(row.values[column], table.types[column])}" for column in table.key
            )
            parents = {column for columns, _, _ in table.parents for column in columns}
            free = [column for column in table.columns if column not in {table.owner, *table.key, *parents}]
            statement = f"DELETE FROM {row.table} WHERE {where}"
            if kind == 1 and free:
                states = [column for column in free if self.states(table, column)]
                column = rng.choice(states if states and rng.random() < 0.5 else free)
                owner = next((one for one in self.people if one.id == row.owner), None)
                value = self.write(rng.choice(self.values(table, column, owner)), table.types[column])
                statement = f"UPDATE {row.table} SET {identifier(column)} = {value} WHERE {where}"
            # What the rules refuse stays as it is.
            with (
                suppress(psycopg.IntegrityError, psycopg.DataError, psycopg.errors.InsufficientPrivilege),
                self.conn.transaction(),
                self._without_triggers() if kind == 1 else nullcontext(),
            ):
                self.conn.execute(statement.encode())
        self.rows = self._read()

    def changed(self) -> list[tuple[Row | None, Row | None]]:
        """Look at all rows again, and return those that are not as they were: what each was, and what it is."""
        before, self.rows = self.rows, self._read()
        return [
            (before.get(place), self.rows.get(place))
            for place in before.keys() | self.rows.keys()
            if place not in before or place not in self.rows or before[place].version != self.rows[place].version
        ]

    def find(self, table: str, column: str, value: str | None) -> list[Values]:
        """Return the rows of a table that have this value in this column."""
        return [row.values for row in self.rows.values() if row.table == table and row.values[column] == value]

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
        if published and (published.visitors or who.role != "anon") and published.which(row.values, self.find):
            if published.columns is None or column in published.columns:
                return True
        viewed = any(view.table == row.table and not view.shared for view in self.model.views.values())
        return self.reads(who, row) or (viewed and self.owns(who, row))

    def leaks(self, who: Who, statement: str, outcome: Outcome) -> list[str]:
        """Return what somebody got to read that they may not know: marks of columns, ids of rows."""
        found = []
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
        table, column, owner = self._marks[mark]
        secret = f"{table}.{column}" in self.model.secret
        if owner is not None and owner == who.id and self.acts(who) and not secret:
            return
        text = f"zq{mark}qz"
        rows = (row for row in self.rows.values() if any(text in (value or "") for value in row.values.values()))
        if not any(
            self.learns(who, row, name) for row in rows for name, value in row.values.items() if text in (value or "")
        ):
            yield f"{text}, from {column} of {table}"

    def ids(self) -> dict[str, list[Row]]:
        """Return the rows that each id names."""
        return self._indexes()[0]

    def _indexes(self) -> tuple[dict[str, list[Row]], dict[str, list[tuple[Row, str]]]]:
        if self._indexed[0] is not self.rows:
            named: dict[str, list[Row]] = {}
            standing: dict[str, list[tuple[Row, str]]] = {}
            for row in self.rows.values():
                for value in row.key:
                    named.setdefault(value, []).append(row)
                for column, value in row.values.items():
                    for id in ID.findall(value or ""):
                        standing.setdefault(id, []).append((row, column))
            self._indexed = self.rows, (named, standing)
        return self._indexed[1]
