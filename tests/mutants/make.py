"""Making mutants: for every rule in the catalog of an instance the SQL that takes it away or weakens it."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import psycopg

from runner.catalog.describe import describe
from runner.contract.changes import closing
from runner.contract.document import Contract, contract_of
from runner.postgres.session import identifier, literal


@dataclass(frozen=True)
class Mutant:
    """A change of a system's schema that a test should notice; `words` are names by which such a test is known."""

    system: str
    kind: str
    name: str
    sql: str
    words: tuple[str, ...]

    @property
    def id(self) -> str:
        """What it is called, in lists and in equivalent.py."""
        return f"{self.system}: {self.kind}: {self.name}"


def mutants(conn: psycopg.Connection[Any], system: str) -> list[Mutant]:
    """Return all mutants of the instance in the schema of the system's name, in a stable order."""
    step_into(conn, system)
    contract = contract_of(conn, system, system)
    catalog = describe(conn, system)
    return [
        *_of_tables(system, contract, catalog),
        *_of_grants(system, contract),
        *_of_functions(conn, system, contract),
    ]


def step_into(conn: psycopg.Connection[Any], system: str) -> None:
    """Let the SQL of the system's mutants find its names, until the transaction ends."""
    conn.execute(f"SET LOCAL search_path = {system}, platform, extensions, pg_temp".encode())


def _of_tables(system: str, contract: Contract, catalog: dict[str, Any]) -> Iterator[Mutant]:
    for table, one in contract["tables"].items():
        target = f"ALTER TABLE {identifier(table)}"
        primary = _columns(one["constraints"].get(f"{table}_pkey", {}).get("definition", ""))
        for name, said in one["constraints"].items():
            yield from _of_constraint(system, table, name, said["definition"], primary, one["columns"])
        for column, said in one["columns"].items():
            if not said["null"] and column not in primary and "identity" not in said:
                sql = f"{target} ALTER COLUMN {identifier(column)} DROP NOT NULL"
                yield Mutant(system, "not null", f"{table}.{column}", sql, ("never_null", column, table))
        for name, said in one["indexes"].items():
            if said.get("unique"):
                yield Mutant(system, "unique index", f"{table}.{name}", f"DROP INDEX {identifier(name)}", (name, table))
        for name, said in one["triggers"].items():
            words = (name, *said.get("raises", ()), said["function"], table)
            sql = f"DROP TRIGGER {identifier(name)} ON {identifier(table)}"
            yield Mutant(system, "trigger", f"{table}.{name}", sql, words)
            if said["function"] == "guard_state":
                definition = catalog[f"table {table}"]["triggers"][name]["definition"].replace("<schema>.", "")
                for pair in _further_pairs(one, said["arguments"]):
                    more = definition[:-1] + f", {literal(pair)})"
                    yield Mutant(system, "state", f"{table}.{name} {pair}", f"{sql}; {more}", words)
        for name, said in one["policies"].items():
            words = (name, table)
            on = f"POLICY {identifier(name)} ON {identifier(table)}"
            yield Mutant(system, "policy", f"{table}.{name}", f"DROP {on}", words)
            for key, clause in (("using", "USING"), ("check", "WITH CHECK")):
                if said.get(key, "true") != "true" and _asked(one, said, key):
                    yield Mutant(system, "policy", f"{table}.{name} {key} true", f"ALTER {on} {clause} (TRUE)", words)


def _asked(table: Contract, policy: Contract, key: str) -> bool:
    """Say whether a role of the policy may do anything for which its expression is asked."""
    commands = {"SELECT", "UPDATE", "DELETE"} if key == "using" else {"INSERT", "UPDATE"}
    if policy["command"] != "ALL":
        commands &= {policy["command"]}
    return any(commands & {*table["grants"].get(role, ())} for role in policy["roles"])


def _of_constraint(
    system: str, table: str, name: str, definition: str, primary: list[str], columns: Iterable[str]
) -> Iterator[Mutant]:
    drop = f"ALTER TABLE {identifier(table)} DROP CONSTRAINT {identifier(name)}"
    named = re.findall(r"(?<=REFERENCES )[\w.]+|\w+", definition)
    words = (name, *dict.fromkeys(word for word in named if word in columns or "." in word), table)
    kind = definition.split(" ")[0].lower()
    if kind == "check":
        yield Mutant(system, "check", f"{table}.{name}", drop, words)
        add = f"ADD CONSTRAINT {identifier(name)}"
        for weaker in dict.fromkeys([*_with_arms_dropped(definition), *_with_bounds_moved(definition)]):
            yield Mutant(system, "check", f"{table}.{name} as {weaker}", f"{drop}, {add} {weaker}", words)
    elif kind == "unique" and not {*primary} <= {*_columns(definition)}:
        # One that holds the primary key refuses nothing of its own; it is there to be referred to.
        yield Mutant(system, "unique", f"{table}.{name}", f"{drop} CASCADE", words)
    elif kind == "foreign":
        yield Mutant(system, "foreign key", f"{table}.{name}", drop, words)


def _columns(definition: str) -> list[str]:
    match = re.match(r"(?:PRIMARY KEY|UNIQUE)[^(]* \(([\w, ]+)\)", definition)
    return match[1].split(", ") if match else []


def _with_arms_dropped(definition: str) -> Iterator[str]:
    """Yield the CHECK once for each arm of an AND, with this arm always true."""
    for start in (match.end() for match in re.finditer(r"\(", definition)):
        end = closing(definition, start - 1)
        cuts = [start]
        index = start
        while index < end:
            if definition.startswith(" AND ", index):
                cuts += [index, index + 5]
            index = closing(definition, index) + 1
        cuts.append(end)
        if len(cuts) > 2:
            for begin, stop in zip(cuts[::2], cuts[1::2], strict=True):
                yield f"{definition[:begin]}TRUE{definition[stop:]}"


def _with_bounds_moved(definition: str) -> Iterator[str]:
    """Yield the CHECK once for each bound that is a number, with the next number, either way, in its place.

    Of bounds that only keep arithmetic out of trouble the next number is the same to a float; they are left out.
    """
    for match in re.finditer(r"(?:<=|>=|<|>) \(?'?(-?\d+(?:\.(\d+))?)", definition):
        if len(match[1]) > 9:
            continue
        step = 10 ** -len(match[2]) if match[2] else 1
        for moved in (float(match[1]) + step, float(match[1]) - step):
            number = f"{moved:.{len(match[2] or '')}f}"
            yield f"{definition[: match.start(1)]}{number}{definition[match.end(1) :]}"


def _further_pairs(table: Contract, arguments: str) -> list[str]:
    """Return the pairs of states that a guard_state() trigger does not allow."""
    given = re.findall(r"'([^']*)'", arguments)
    pairs = [one for one in given[3:] if ">" in one]
    states = dict.fromkeys(state for one in pairs for state in one.split(">"))
    return [
        f"{one}>{other}" for one, other in itertools.permutations(states, 2) if pairs and f"{one}>{other}" not in pairs
    ]


def _of_grants(system: str, contract: Contract) -> Iterator[Mutant]:
    things = [("table", name, one) for name, one in contract["tables"].items()]
    things += [("table", name, one) for name, one in contract["views"].items()]
    things += [("function", name, one) for name, one in contract["functions"].items()]
    things += [("schema", system, contract["schema"])]
    for kind, name, one in things:
        target = name if kind == "function" else identifier(name)
        for role, privileges in one["grants"].items():
            for privilege in privileges if role != "columns" else ():
                sql = f"REVOKE {privilege} ON {kind} {target} FROM {role}"
                words = ("privilege", name.partition("(")[0], role)
                yield Mutant(system, "grant", f"{privilege} on {name} to {role}", sql, words)


_FUNCTIONS_SQL = """
SELECT
    p.proname, pg_get_functiondef(p.oid),
    p.prosecdef AND has_function_privilege('authenticated', p.oid, 'EXECUTE')
FROM pg_proc AS p
WHERE p.pronamespace = %s::regnamespace
ORDER BY p.oid::regprocedure::text
"""

# How a function keeps to what is its caller's, and what that becomes without it. The body of one in BEGIN ATOMIC is as
# the server writes it.
_CALLER = (
    (r"\(\w+\.(?:user_)?id = (?:c_user|current_user_id\(\)) OR (?:c_service|platform\.is_service\(\))\)", "TRUE"),
    (r"\(\(\w+\.user_id = current_user_id\(\)\) OR is_service\(\)\)", "TRUE"),
    (r"\w+\.user_id = \( ?SELECT current_user_id\(\)(?: AS current_user_id)?\)", "TRUE"),
    (r"\bacting_user\((\w+)\)", r"\1"),
    (r"\bc_user IS NULL\b", "FALSE"),
    (r"\bNOT platform\.is_service\(\)", "FALSE"),
    (r"\bWHEN is_service\(\) THEN", "WHEN TRUE THEN"),
    (r"\w+\.\w+ = (?:auth\.uid\(\)|c_uid|auth\.jwt\(\) ->> 'sub')", "TRUE"),
    (r"(= auth\.uid\(\)) AND \w+\.is_active", r"\1"),
    (r"(= auth\.uid\(\).*) AND \w+\.deleted_at IS NULL", r"\1"),
)

# With their owner's rights these give what is everybody's.
_FOR_ALL = {"hugo": {"knowledge_base_is_active", "search_knowledge"}}


def _of_functions(conn: psycopg.Connection[Any], system: str, contract: Contract) -> Iterator[Mutant]:
    for name, definition, beyond_rls in conn.execute(_FUNCTIONS_SQL.encode(), [system]).fetchall():
        looks = [
            (number, match, without)
            for pattern, without in _CALLER
            for number, match in enumerate(re.finditer(pattern, definition), 1)
        ]
        assert looks or not beyond_rls or name in _FOR_ALL.get(system, ()), f"say here how {name} looks at its caller"
        for number, match, without in looks:
            sql = definition[: match.start()] + match.expand(without) + definition[match.end() :]
            yield Mutant(system, "caller", f"{name}: {match[0]} ({number})", sql, (name,))
    for name, one in contract["functions"].items():
        if one["security"] == "definer" and one["grants"] and "authenticated" not in one["grants"]:
            sql = f"GRANT EXECUTE ON FUNCTION {name} TO authenticated"
            yield Mutant(system, "caller", f"{name} for users", sql, (name.partition("(")[0],))
