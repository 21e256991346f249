"""Contracts: what consumers of a system may rely on, as a JSON document that is the same on every server.

A contract is taken from the catalog, of a database or of what the files make. What depends on the day (partitions of
months), on the server's version (how a view's query is written out) or on the place (the schema's name) is not in it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psycopg

from runner.catalog.describe import Catalog, Object, describe, describe_jobs, describe_prepared, normaliser, own
from runner.errors import UsageError
from runner.files.tree import PLATFORM, Tree

Contract = dict[str, Any]
"""The document, with these keys."""

FORMAT = 1
SECTIONS = ("types", "tables", "views", "functions", "prepared_statements", "jobs")

# What an object consists of, and what each thing has to say of itself.
_PARTS = {
    "tables": ("columns", "constraints", "indexes", "triggers", "policies"),
    "views": ("columns",),
}
_NEEDED = {
    "columns": ("type",),
    "constraints": ("definition",),
    "indexes": ("definition",),
    "policies": ("command",),
    "functions": ("arguments", "result", "volatility", "security"),
}

# Definitions are written out under a path on which nothing is found: then they are the same for a role that may use
# no schema, and one way or another every name is qualified.
_NOWHERE = ("pg_catalog",)
_EXTENSIONS_SQL = """
SELECT DISTINCT n.nspname::text
FROM pg_extension AS e JOIN pg_namespace AS n ON n.oid = e.extnamespace
WHERE n.nspname <> 'pg_catalog'
"""

_INDEX = re.compile(r"CREATE (UNIQUE )?INDEX .*? (USING .*)", re.S)
_TRIGGER = re.compile(r"CREATE (?:CONSTRAINT )?TRIGGER \S+ (.*) EXECUTE FUNCTION (?:\S+\.)?(\w+)\((.*)\)", re.S)
# Names that a function, or a trigger in its arguments, can give to a refusal.
_RULE = re.compile(r"'(\w+_(?:check|fkey|pkey|key|idx)|chk_\w+)'")


def contract_of(conn: psycopg.Connection[Any], system: str, schema: str) -> Contract:
    """Return the contract of the instance of `system` in `schema`.

    Its prepared statements are None when the connected role may not call `prepare_statements()`, and its jobs those
    that it may see. Raises UsageError when there is nothing in it.
    """
    if not (catalog := describe(conn, schema, _NOWHERE)):
        raise UsageError(
            f"there is nothing in schema {schema} of this database", hint="--schema says where the system is"
        )
    prepared = describe_prepared(conn, schema, _NOWHERE)
    spaces = [PLATFORM, *(name for (name,) in conn.execute(_EXTENSIONS_SQL.encode()))]
    sections = _sections(_unqualified(catalog | describe_jobs(conn, schema) | (prepared or {}), spaces))
    if prepared is None:
        sections["prepared_statements"] = None
    return {"format": FORMAT, "system": system, "schema": {"grants": _grants(catalog.get("schema", {}))}, **sections}


def write(contract: Contract) -> str:
    """Return the text of a contract file."""
    return json.dumps(contract, indent=2, ensure_ascii=False) + "\n"


def read(path: Path) -> Contract:
    """Return the contract in a file, which may leave out whole objects; raise UsageError when it holds none."""
    hint = "`companion contract export` writes contracts"
    try:
        found = json.loads(path.read_text())
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise UsageError(f"{path} is not JSON: {error}", hint=hint) from None
    if not isinstance(found, dict) or found.get("format") != FORMAT or not isinstance(found.get("system"), str):
        raise UsageError(f"{path} is not a contract of format {FORMAT}", hint=hint)
    schema = found.get("schema", {})
    complete = {**found, "schema": {"grants": schema.get("grants", {}) if isinstance(schema, dict) else {}}}
    for section in SECTIONS:
        objects = _objects(f"{path}: {section}", found.get(section, {}), _NEEDED.get(section, ()))
        complete[section] = {
            name: {
                **one,
                **{
                    part: _objects(f"{path}: {section}.{name}.{part}", one.get(part, {}), _NEEDED.get(part, ()))
                    for part in _PARTS.get(section, ())
                },
                **({"grants": one.get("grants", {})} if section in ("tables", "views", "functions") else {}),
            }
            for name, one in objects.items()
        }
    return complete


def _objects(where: str, found: Any, needed: Sequence[str]) -> Contract:
    """Return `found` if it gives objects by name that say what is needed; raise UsageError otherwise."""
    if not isinstance(found, dict):
        raise UsageError(f"{where} does not give objects by name")
    for name, one in found.items():
        if not isinstance(one, dict):
            raise UsageError(f"{where}.{name} is not an object")
        for key in needed:
            if not isinstance(one.get(key), str):
                raise UsageError(f"{where}.{name} does not say its {key}")
    return found


def read_all(path: Path) -> dict[str, Contract]:
    """Return by system the contract in a file, or those in a folder; raise UsageError when there is none."""
    paths = sorted(path.glob("*.json")) if path.is_dir() else [path]
    if not paths:
        raise UsageError(f"{path} holds no contract (no .json file)")
    found = {}
    for one in map(read, paths):
        if one["system"] in found:
            raise UsageError(f"{path} holds two contracts of {one['system']}")
        found[one["system"]] = one
    return found


def folder(tree: Tree) -> Path:
    """Return the folder of the contracts that belong to a tree of files, beside it; raise UsageError without one."""
    found = tree.root.parent / "contract"
    if not found.is_dir():
        raise UsageError(f"{tree.root} has no contracts beside it", hint="name a file or a folder with --contract")
    return found


def _sections(catalog: Catalog) -> Contract:
    found: Contract = {section: {} for section in SECTIONS}
    raises = {
        name.removeprefix("function ").split("(")[0]: sorted(set(_RULE.findall(own(one)["body"])))
        for name, one in catalog.items()
        if name.startswith("function ")
    }
    for name, one in sorted(catalog.items()):
        kind, _, bare = name.rpartition(" ") if name.startswith("materialized") else name.partition(" ")
        if kind == "table" and "partition_of" not in own(one):
            found["tables"][bare] = _table(one, raises)
        elif kind in ("view", "materialized view"):
            found["views"][bare] = _view(kind, one)
        elif kind == "function":
            found["functions"][bare] = _function(one, raises[bare.split("(")[0]])
        elif kind in ("type", "domain"):
            found["types"][bare] = _kept(one, "labels", "type", "null", "default", "range_of", "comment")
        elif kind == "prepared":
            found["prepared_statements"][bare.removeprefix("statement ")] = _kept(one, "parameters", "statement")
        elif kind == "job":
            found["jobs"][bare] = _kept(one, "schedule", "command", "description")
    return found


def _table(one: Object, raises: dict[str, list[str]]) -> Contract:
    constraints = one.get("constraints", {})
    indexes = {}
    for name, said in one.get("indexes", {}).items():
        if name not in constraints:
            match = _INDEX.fullmatch(said["definition"])
            assert match
            unique = {"unique": True} if match[1] else {}
            indexes[name] = {**unique, **said, "definition": match[2]}
    triggers = {}
    for name, said in one.get("triggers", {}).items():
        match = _TRIGGER.fullmatch(said["definition"])
        assert match
        event, function, arguments = match[1], match[2], match[3]
        rules = sorted({*_RULE.findall(arguments), *raises.get(function, [])})
        triggers[name] = {
            "event": re.sub(r" ON \S+(?= (?:NOT )?DEFERRABLE| REFERENCING| FOR )", "", event, count=1),
            "function": function,
            **({"arguments": arguments} if arguments else {}),
            **({"raises": rules} if rules else {}),
            **{key: value for key, value in said.items() if key != "definition"},
        }
    return {
        **_kept(one, "comment", "row_security", "forced", "partition_by"),
        "columns": {
            name: {key: value for key, value in said.items() if key not in ("stored", "storage")}
            for name, said in one.get("columns", {}).items()
        },
        "constraints": constraints,
        "indexes": indexes,
        "triggers": triggers,
        "policies": one.get("policies", {}),
        "grants": _grants(one),
    }


def _view(kind: str, one: Object) -> Contract:
    columns = {
        name: {key: value for key, value in said.items() if key in ("type", "comment")}
        for name, said in one.get("columns", {}).items()
    }
    stored = {"materialized": True} if kind == "materialized view" else {}
    return {**_kept(one, "comment", "options"), **stored, "columns": columns, "grants": _grants(one)}


def _function(one: Object, raises: Sequence[str]) -> Contract:
    return {
        **_kept(one, "kind", "arguments", "result", "volatility", "security", "strict", "comment"),
        **({"raises": raises} if raises else {}),
        "grants": _grants(one),
    }


def _grants(one: Object) -> Contract:
    grants = {role: said["privileges"] for role, said in one.get("grants", {}).items() if role != "owner"}
    columns = one.get("column grants", {})
    return {**grants, **({"columns": columns} if columns else {})}


def _kept(one: Object, *keys: str) -> Contract:
    said = own(one)
    return {key: said[key] for key in keys if key in said}


def _unqualified(catalog: Catalog, spaces: Sequence[str]) -> Catalog:
    """Return the catalog with the names of the instance, and of the schemas `spaces`, unqualified."""
    normals = [normaliser(space) for space in spaces]

    def plain(value: Any) -> Any:
        if isinstance(value, str):
            for normal in normals:
                value = normal(value)
            return value.replace("<schema>.", "")
        if isinstance(value, list):
            return [plain(one) for one in value]
        return {plain(key): plain(one) for key, one in value.items()} if isinstance(value, dict) else value

    return {str(plain(name)): plain(one) for name, one in catalog.items()}
