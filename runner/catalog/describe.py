"""The catalog of one schema as plain data: what `verify` compares, the contract promises and the docs describe.

Two schemas that were made by the same files give the same data, on every supported server: no OIDs, no attribute
numbers, the schema's own name replaced, privileges exploded and sorted, the owner's own left out as long as they are
all there. Whatever has its default value is left out. The history tables are left out too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg

from runner.catalog.canonical import canonical
from runner.history.ledger import TABLES
from runner.postgres.session import identifier
from runner.postgres.settings import ENDS, TEXT

Attributes = dict[str, Any]
"""What is said of one thing, such as a column: `{"type": "text", "null": False}`."""

Object = dict[str, dict[str, Attributes]]
"""A table, function or type: by part (`columns`, `policies`, …) and name. Its own attributes are part ``, name ``."""

Catalog = dict[str, Object]
"""All objects of a schema, by kind and name: `table chats`, `function f(integer)`."""

_KINDS = (
    "CASE c.relkind WHEN 'S' THEN 'sequence ' WHEN 'v' THEN 'view ' WHEN 'm' THEN 'materialized view '"
    " WHEN 'c' THEN 'type ' WHEN 'f' THEN 'foreign table ' ELSE 'table ' END || c.relname"
)
_FUNCTION = "'function ' || p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')'"

# By role, the privileges of others than the owner, with a * if they may be granted on, and those the owner lacks.
_ACL = """
SELECT {name} AS object, 'grants', g.role, jsonb_build_object('privileges', g.privileges)
FROM {source} CROSS JOIN LATERAL (
    SELECT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(a.grantee)::text END AS role,
        jsonb_agg(a.privilege_type || CASE WHEN a.is_grantable THEN '*' ELSE '' END ORDER BY a.privilege_type)
            AS privileges
    FROM aclexplode(coalesce({acl}, acldefault('{kind}', {owner}))) AS a
    WHERE a.grantee <> {owner} GROUP BY a.grantee
    UNION ALL
    SELECT 'owner', jsonb_agg('not ' || d.privilege_type ORDER BY d.privilege_type)
    FROM aclexplode(acldefault('{kind}', {owner})) AS d
    WHERE d.grantee = {owner} AND NOT EXISTS (
        SELECT FROM aclexplode(coalesce({acl}, acldefault('{kind}', {owner}))) AS a
        WHERE a.grantee = d.grantee AND a.privilege_type = d.privilege_type
    )
    HAVING count(*) > 0
) AS g
"""

_PREPARE = re.compile(r"\s*PREPARE .*? AS ", re.I | re.S)

# Every part gives (object, part, name, attributes). Objects that belong to an extension are left out.
_SQL = f"""
WITH space AS (SELECT oid, nspowner, nspacl, nspname FROM pg_namespace WHERE nspname = %(schema)s),
extension AS (SELECT classid, objid FROM pg_depend WHERE deptype = 'e'),
rel AS (
    SELECT c.*, {_KINDS} AS name
    FROM pg_class AS c JOIN space ON space.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'c', 'f') AND c.relname <> ALL(%(history)s)
        AND NOT EXISTS (SELECT FROM extension AS e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid)
),
tab AS (SELECT * FROM rel WHERE relkind <> 'S'),
fun AS (
    SELECT p.*, {_FUNCTION} AS name
    FROM pg_proc AS p JOIN space ON space.oid = p.pronamespace
    WHERE NOT EXISTS (SELECT FROM extension AS e WHERE e.classid = 'pg_proc'::regclass AND e.objid = p.oid)
),
typ AS (
    SELECT t.*, CASE t.typtype WHEN 'd' THEN 'domain ' ELSE 'type ' END || t.typname AS name
    FROM pg_type AS t JOIN space ON space.oid = t.typnamespace
    WHERE t.typtype IN ('e', 'd', 'r')
        AND NOT EXISTS (SELECT FROM extension AS e WHERE e.classid = 'pg_type'::regclass AND e.objid = t.oid)
)
SELECT rel.name, '', '', jsonb_build_object(
    'persistence', nullif(relpersistence::text, 'p'),
    'row_security', CASE WHEN relkind IN ('r', 'p') THEN relrowsecurity END,
    'forced', nullif(relforcerowsecurity, false),
    'replica_identity', nullif(nullif(relreplident::text, 'd'), 'n'),
    'options', (SELECT jsonb_agg(o ORDER BY o) FROM unnest(reloptions) AS o),
    'partition_by', pg_get_partkeydef(CASE WHEN relkind = 'p' THEN oid END),
    'partition_of', (SELECT inhparent::regclass::text FROM pg_inherits WHERE inhrelid = oid AND relispartition),
    'bound', pg_get_expr(relpartbound, oid),
    'definition', CASE WHEN relkind IN ('v', 'm') THEN pg_get_viewdef(oid) END,
    'owner', (SELECT pg_get_userbyid(relowner) FROM space WHERE nspowner <> relowner),
    'comment', obj_description(oid, 'pg_class')
) FROM rel
UNION ALL
SELECT tab.name, 'columns', a.attname, jsonb_build_object(
    'position', a.attnum,
    'type', format_type(a.atttypid, a.atttypmod),
    'null', NOT a.attnotnull,
    'default', CASE WHEN a.attgenerated = '' THEN pg_get_expr(d.adbin, d.adrelid) END,
    'generated', CASE WHEN a.attgenerated <> '' THEN pg_get_expr(d.adbin, d.adrelid) END,
    'stored', CASE a.attgenerated WHEN 's' THEN true WHEN 'v' THEN false END,
    'identity', CASE a.attidentity WHEN 'a' THEN 'always' WHEN 'd' THEN 'by default' END,
    'collation', CASE WHEN a.attcollation NOT IN (0, t.typcollation) THEN a.attcollation::regcollation::text END,
    'storage', CASE WHEN a.attstorage <> t.typstorage THEN a.attstorage::text END,
    'comment', col_description(tab.oid, a.attnum)
)
FROM tab JOIN pg_attribute AS a ON a.attrelid = tab.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type AS t ON t.oid = a.atttypid
LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
UNION ALL
SELECT coalesce(tab.name, typ.name), 'constraints', k.conname, jsonb_build_object(
    'definition', pg_get_constraintdef(k.oid),
    'validated', nullif(k.convalidated, true),
    'comment', obj_description(k.oid, 'pg_constraint')
)
FROM pg_constraint AS k LEFT JOIN tab ON tab.oid = k.conrelid LEFT JOIN typ ON typ.oid = k.contypid
WHERE (tab.oid IS NOT NULL OR typ.oid IS NOT NULL) AND k.contype NOT IN ('t', 'n')
UNION ALL
SELECT tab.name, 'indexes', n.relname, jsonb_build_object(
    'definition', pg_get_indexdef(i.indexrelid),
    'valid', nullif(i.indisvalid, true),
    'replica_identity', nullif(i.indisreplident, false),
    'clustered', nullif(i.indisclustered, false),
    'comment', obj_description(i.indexrelid, 'pg_class')
)
FROM pg_index AS i JOIN tab ON tab.oid = i.indrelid JOIN pg_class AS n ON n.oid = i.indexrelid
UNION ALL
SELECT tab.name, 'triggers', g.tgname, jsonb_build_object(
    'definition', pg_get_triggerdef(g.oid),
    'enabled', CASE g.tgenabled WHEN 'O' THEN NULL WHEN 'D' THEN 'no' WHEN 'R' THEN 'replica' ELSE 'always' END,
    'comment', obj_description(g.oid, 'pg_trigger')
)
FROM pg_trigger AS g JOIN tab ON tab.oid = g.tgrelid WHERE NOT g.tgisinternal
UNION ALL
SELECT tab.name, 'policies', q.polname, jsonb_build_object(
    'command', CASE q.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE'
        ELSE 'ALL' END,
    'restrictive', nullif(NOT q.polpermissive, false),
    'roles', (SELECT jsonb_agg(CASE r WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(r)::text END ORDER BY 1)
        FROM unnest(q.polroles) AS r),
    'using', pg_get_expr(q.polqual, q.polrelid),
    'check', pg_get_expr(q.polwithcheck, q.polrelid),
    'comment', obj_description(q.oid, 'pg_policy')
)
FROM pg_policy AS q JOIN tab ON tab.oid = q.polrelid
UNION ALL
SELECT tab.name, 'rules', w.rulename, jsonb_build_object('definition', pg_get_ruledef(w.oid))
FROM pg_rewrite AS w JOIN tab ON tab.oid = w.ev_class WHERE w.rulename <> '_RETURN'
UNION ALL
SELECT tab.name, 'statistics', x.stxname, jsonb_build_object('definition', pg_get_statisticsobjdef(x.oid))
FROM pg_statistic_ext AS x JOIN tab ON tab.oid = x.stxrelid
UNION ALL
SELECT rel.name, 'sequence', '', jsonb_build_object(
    'type', format_type(s.seqtypid, NULL), 'start', s.seqstart, 'increment', s.seqincrement, 'minimum', s.seqmin,
    'maximum', s.seqmax, 'cache', s.seqcache, 'cycle', s.seqcycle
)
FROM pg_sequence AS s JOIN rel ON rel.oid = s.seqrelid
UNION ALL
SELECT fun.name, '', '', jsonb_build_object(
    'kind', CASE fun.prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' WHEN 'w' THEN 'window' END,
    'arguments', pg_get_function_arguments(fun.oid),
    'result', pg_get_function_result(fun.oid),
    'language', (SELECT lanname FROM pg_language WHERE pg_language.oid = fun.prolang),
    'volatility', CASE fun.provolatile WHEN 'i' THEN 'immutable' WHEN 's' THEN 'stable' ELSE 'volatile' END,
    'security', CASE WHEN fun.prosecdef THEN 'definer' ELSE 'invoker' END,
    'strict', nullif(fun.proisstrict, false),
    'leakproof', nullif(fun.proleakproof, false),
    'parallel', CASE fun.proparallel WHEN 's' THEN 'safe' WHEN 'r' THEN 'restricted' END,
    'settings', to_jsonb(fun.proconfig),
    'body', coalesce(pg_get_function_sqlbody(fun.oid), fun.prosrc),
    'owner', (SELECT pg_get_userbyid(fun.proowner) FROM space WHERE nspowner <> fun.proowner),
    'comment', obj_description(fun.oid, 'pg_proc')
) FROM fun
UNION ALL
SELECT typ.name, '', '', jsonb_build_object(
    'labels', (SELECT jsonb_agg(enumlabel ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = typ.oid),
    'type', CASE WHEN typtype = 'd' THEN format_type(typbasetype, typtypmod) END,
    'null', CASE WHEN typtype = 'd' THEN NOT typnotnull END,
    'default', typdefault,
    'range_of', (SELECT rngsubtype::regtype::text FROM pg_range WHERE rngtypid = typ.oid),
    'owner', (SELECT pg_get_userbyid(typowner) FROM space WHERE nspowner <> typowner),
    'comment', obj_description(typ.oid, 'pg_type')
) FROM typ
UNION ALL
SELECT 'default privileges', 'grants', pg_get_userbyid(defaclrole) || ' on ' || defaclobjtype::text,
    jsonb_build_object('privileges', defaclacl::text)
FROM pg_default_acl JOIN space ON space.oid = defaclnamespace
UNION ALL {_ACL.format(name="name", source="rel", acl="relacl", owner="relowner", kind="r")} WHERE relkind <> 'S'
UNION ALL {_ACL.format(name="name", source="rel", acl="relacl", owner="relowner", kind="s")} WHERE relkind = 'S'
UNION ALL {_ACL.format(name="name", source="fun", acl="proacl", owner="proowner", kind="f")}
UNION ALL {_ACL.format(name="name", source="typ", acl="typacl", owner="typowner", kind="T")}
UNION ALL {_ACL.format(name="'schema'", source="space", acl="nspacl", owner="nspowner", kind="n")}
UNION ALL
SELECT tab.name, 'column grants', t.attname, jsonb_object_agg(a.role, a.privileges)
FROM tab JOIN pg_attribute AS t ON t.attrelid = tab.oid AND t.attnum > 0 AND NOT t.attisdropped
CROSS JOIN LATERAL (
    SELECT CASE e.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(e.grantee)::text END AS role,
        jsonb_agg(e.privilege_type ORDER BY e.privilege_type) AS privileges
    FROM aclexplode(t.attacl) AS e WHERE e.grantee <> tab.relowner GROUP BY e.grantee
) AS a
GROUP BY tab.name, t.attname
"""

_SEES_JOBS_SQL = """
SELECT has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relname = 'jobs' AND c.relkind = 'r'
"""
_MAY_PREPARE_SQL = """
SELECT has_schema_privilege(n.oid, 'USAGE') AND has_function_privilege(p.oid, 'EXECUTE')
FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
WHERE n.nspname = %s AND p.proname = 'prepare_statements' AND p.pronargs = 0
"""

_PREPARED_SQL = """
SELECT name, parameter_types::text[], statement
FROM pg_prepared_statements
WHERE from_sql AND prepare_time >= transaction_timestamp()
ORDER BY name
"""


# Of which the server writes two forms.
_EXPRESSIONS = {
    "columns": ("default", "generated"),
    "constraints": ("definition",),
    "indexes": ("definition",),
    "triggers": ("definition",),
    "policies": ("using", "check"),
}
_SET_SQL = "SELECT set_config(name, value, true) FROM unnest(%s::text[], %s::text[]) AS s (name, value)"


def describe(conn: psycopg.Connection[Any], schema: str, path: Sequence[str] | None = None) -> Catalog:
    """Return all that is in `schema`.

    `path` is the search path under which definitions are written out, by default schema, platform and pg_temp: two
    catalogs compare only under paths that differ in nothing but the schema. Works inside and outside a transaction,
    and leaves the session's settings as they were. Returns {} when there is no such schema.
    """
    with _written_out(conn, schema, path):
        rows = conn.execute(_SQL.encode(), {"schema": schema, "history": list(TABLES)}).fetchall()
    normal = normaliser(schema)
    found: Catalog = {}
    for name, part, item, attributes in sorted(rows, key=lambda row: (*row[:2], row[3].pop("position", 0), row[2])):
        said = {key: _normalised(value, normal) for key, value in attributes.items() if value is not None}
        for key in _EXPRESSIONS.get(part, ()):
            if key in said:
                said[key] = canonical(said[key])
        found.setdefault(normal(name), {}).setdefault(part, {})[normal(item)] = said
    return found


def own(one: Object) -> Attributes:
    """Return what is said of an object itself, apart from its parts."""
    return one.get("", {}).get("", {})


def describe_jobs(conn: psycopg.Connection[Any], schema: str) -> Catalog:
    """Return the jobs of an instance as objects of their own; {} where there are none, or none that one may see."""
    if conn.execute(_SEES_JOBS_SQL.encode(), [schema]).fetchone() != (True,):
        return {}
    table = identifier(schema, "jobs")
    rows = conn.execute(f"SELECT name, schedule, command, description FROM {table}".encode()).fetchall()
    normal = normaliser(schema)
    return {
        f"job {name}": {"": {"": {"schedule": schedule, "command": normal(command), "description": description}}}
        for name, schedule, command, description in sorted(rows)
    }


def describe_prepared(conn: psycopg.Connection[Any], schema: str, path: Sequence[str] | None = None) -> Catalog | None:
    """Return what the schema's `prepare_statements()` prepares, as objects of their own; None if one may not call it.

    It is called for that, in a transaction that may write nothing and is rolled back. One that fails prepares nothing.
    """
    may = conn.execute(_MAY_PREPARE_SQL.encode(), [schema]).fetchone()
    if may != (True,):
        return None if may else {}
    function = identifier(schema, "prepare_statements") + "()"
    try:
        with _written_out(conn, schema, path):
            conn.execute("SET LOCAL transaction_read_only = on")
            conn.execute(f"SELECT {function}".encode())
            rows = conn.execute(_PREPARED_SQL.encode()).fetchall()
            for name, _, _ in rows:
                conn.execute(f"DEALLOCATE {identifier(name)}".encode())
    except psycopg.Error as error:
        if error.sqlstate is None:
            raise
        return {}
    normal = normaliser(schema)
    return {
        f"prepared statement {name}": {
            "": {"": {"parameters": types, "statement": normal(_PREPARE.sub("", statement).rstrip("; "))}}
        }
        for name, types, statement in rows
    }


@contextmanager
def _written_out(conn: psycopg.Connection[Any], schema: str, path: Sequence[str] | None) -> Iterator[None]:
    """Let the server write definitions out under `path`, and roll back to the settings from before."""
    names = ", ".join(identifier(name) for name in path or dict.fromkeys((schema, "platform", "pg_temp")))
    with conn.transaction(force_rollback=True):
        values = {"search_path": names, **TEXT, **ENDS}
        if conn.info.server_version < 170000:
            del values["transaction_timeout"]
        conn.execute(_SET_SQL, [[*values], [*values.values()]])
        yield


def _normalised(value: Any, normal: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return normal(value)
    return [_normalised(part, normal) for part in value] if isinstance(value, list) else value


def normaliser(schema: str) -> Callable[[str], str]:
    """Return a function that replaces the schema's name where it qualifies a name or stands in a path."""
    names = sorted({schema, identifier(schema)}, key=len, reverse=True)
    either = "|".join(re.escape(name) for name in names)
    pattern = re.compile(
        rf"(?<![\w$\"])(?:{either})(?=\.)"
        rf"|(?<=search_path TO )'?(?:{either})'?(?=,|\n|$)"
        rf"|(?<=search_path=)(?:{either})(?=,|$)"
    )
    return lambda text: pattern.sub("<schema>", text) if any(name in text for name in names) else text
