"""The catalog of one schema as plain text, fit for comparing.

Two schemas that were made by the same files give the same text: no OIDs, no attribute numbers, the schema's own name
replaced, privileges exploded and sorted with the owner called `owner`. The history tables are left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import psycopg

from runner.database import identifier
from runner.ledger import TABLES

Snapshot = dict[str, list[str]]

# Every part of the query returns (object, line). Objects that belong to an extension are left out.
_ACL = """
SELECT {name}, 'grant ' || a.privilege_type || ' to '
    || CASE a.grantee WHEN 0 THEN 'PUBLIC' WHEN {owner} THEN 'owner' ELSE pg_get_userbyid(a.grantee)::text END
    || CASE WHEN a.is_grantable THEN ' with grant option' ELSE '' END
FROM {source} CROSS JOIN LATERAL aclexplode(coalesce({acl}, acldefault('{kind}', {owner}))) AS a
"""

_RELATION = (
    "CASE c.relkind WHEN 'S' THEN 'sequence ' WHEN 'v' THEN 'view ' WHEN 'm' THEN 'materialized view ' "
    "WHEN 'c' THEN 'type ' ELSE 'table ' END || c.relname"
)
_FUNCTION = "'function ' || p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')'"

_SQL = f"""
WITH space AS (SELECT oid, nspowner FROM pg_namespace WHERE nspname = %(schema)s),
extension AS (SELECT classid, objid FROM pg_depend WHERE deptype = 'e'),
rel AS (
    SELECT c.*, {_RELATION} AS name
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
),
owned AS (
    SELECT name, relowner AS owner FROM rel
    UNION ALL SELECT name, proowner FROM fun
    UNION ALL SELECT name, typowner FROM typ
)
SELECT name, 'kind ' || relkind::text || ', persistence ' || relpersistence::text || ', row security ' || relrowsecurity
    || ', forced ' || relforcerowsecurity || ', replica identity ' || relreplident::text
    || coalesce(', options ' || (SELECT string_agg(o, ' ' ORDER BY o) FROM unnest(reloptions) AS o), '')
    || coalesce(', partition by ' || pg_get_partkeydef(CASE WHEN relkind = 'p' THEN oid END), '')
    || coalesce(', partition of ' || (
        SELECT inhparent::regclass::text || ' ' || pg_get_expr(rel.relpartbound, rel.oid)
        FROM pg_inherits WHERE inhrelid = rel.oid
    ), '')
FROM rel
UNION ALL SELECT name, 'owner ' || pg_get_userbyid(owner) FROM owned, space WHERE owner <> nspowner
UNION ALL SELECT name, 'definition ' || pg_get_viewdef(oid) FROM rel WHERE relkind IN ('v', 'm')
UNION ALL
SELECT tab.name, 'column ' || quote_ident(a.attname) || ' ' || format_type(a.atttypid, a.atttypmod)
    || CASE WHEN a.attnotnull THEN ' not null' ELSE '' END
    || CASE a.attidentity WHEN '' THEN '' WHEN 'a' THEN ' identity always' ELSE ' identity by default' END
    || CASE a.attgenerated WHEN '' THEN ' default ' WHEN 's' THEN ' stored ' ELSE ' virtual ' END
    || coalesce(pg_get_expr(d.adbin, d.adrelid), 'none')
    || CASE WHEN a.attcollation NOT IN (0, t.typcollation) THEN ' collate ' || a.attcollation::regcollation::text
        ELSE '' END
    || CASE WHEN a.attstorage <> t.typstorage THEN ' storage ' || a.attstorage::text ELSE '' END
    || coalesce(%(comment)s::text || col_description(tab.oid, a.attnum), '')
FROM tab JOIN pg_attribute AS a ON a.attrelid = tab.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type AS t ON t.oid = a.atttypid
LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
UNION ALL
SELECT coalesce(tab.name, typ.name), 'constraint ' || quote_ident(k.conname) || ' ' || pg_get_constraintdef(k.oid)
    || CASE WHEN k.convalidated THEN '' ELSE ' (not validated)' END
    || coalesce(%(comment)s::text || obj_description(k.oid, 'pg_constraint'), '')
FROM pg_constraint AS k LEFT JOIN tab ON tab.oid = k.conrelid LEFT JOIN typ ON typ.oid = k.contypid
WHERE (tab.oid IS NOT NULL OR typ.oid IS NOT NULL) AND k.contype NOT IN ('t', 'n')
UNION ALL
SELECT tab.name, 'index ' || pg_get_indexdef(i.indexrelid) || CASE WHEN i.indisvalid THEN '' ELSE ' (invalid)' END
    || CASE WHEN i.indisreplident THEN ' replica identity' ELSE '' END
    || CASE WHEN i.indisclustered THEN ' clustered' ELSE '' END
    || coalesce(%(comment)s::text || obj_description(i.indexrelid, 'pg_class'), '')
FROM pg_index AS i JOIN tab ON tab.oid = i.indrelid
UNION ALL
SELECT tab.name, 'trigger ' || pg_get_triggerdef(g.oid) || ', enabled ' || g.tgenabled::text
    || coalesce(%(comment)s::text || obj_description(g.oid, 'pg_trigger'), '')
FROM pg_trigger AS g JOIN tab ON tab.oid = g.tgrelid WHERE NOT g.tgisinternal
UNION ALL
SELECT tab.name, 'policy ' || quote_ident(q.polname) || ' ' || q.polcmd::text || ', permissive ' || q.polpermissive
    || ', to '
    || (SELECT string_agg(CASE r WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(r)::text END, ' ' ORDER BY 1)
        FROM unnest(q.polroles) AS r)
    || coalesce(', using ' || pg_get_expr(q.polqual, q.polrelid), '')
    || coalesce(', check ' || pg_get_expr(q.polwithcheck, q.polrelid), '')
    || coalesce(%(comment)s::text || obj_description(q.oid, 'pg_policy'), '')
FROM pg_policy AS q JOIN tab ON tab.oid = q.polrelid
UNION ALL
SELECT tab.name, 'rule ' || pg_get_ruledef(w.oid)
FROM pg_rewrite AS w JOIN tab ON tab.oid = w.ev_class WHERE w.rulename <> '_RETURN'
UNION ALL
SELECT tab.name, 'statistics ' || pg_get_statisticsobjdef(x.oid)
FROM pg_statistic_ext AS x JOIN tab ON tab.oid = x.stxrelid
UNION ALL
SELECT rel.name, 'sequence ' || concat_ws(' ', format_type(s.seqtypid, NULL), s.seqstart, s.seqincrement, s.seqmin,
    s.seqmax, s.seqcache, s.seqcycle)
FROM pg_sequence AS s JOIN rel ON rel.oid = s.seqrelid
UNION ALL
SELECT name, pg_get_functiondef(oid) FROM fun WHERE prokind IN ('f', 'p')
UNION ALL
SELECT name, 'aggregate ' || (SELECT concat_ws(' ', aggtransfn, aggfinalfn, aggtranstype::regtype, agginitval)
    FROM pg_aggregate WHERE aggfnoid = fun.oid) FROM fun WHERE prokind = 'a'
UNION ALL
SELECT name, 'labels ' || (SELECT string_agg(quote_literal(enumlabel), ' ' ORDER BY enumsortorder)
    FROM pg_enum WHERE enumtypid = typ.oid) FROM typ WHERE typtype = 'e'
UNION ALL
SELECT name, format_type(typbasetype, typtypmod) || CASE WHEN typnotnull THEN ' not null' ELSE '' END
    || coalesce(' default ' || typdefault, '') FROM typ WHERE typtype = 'd'
UNION ALL
SELECT name, 'range of ' || (SELECT rngsubtype::regtype::text FROM pg_range WHERE rngtypid = typ.oid)
FROM typ WHERE typtype = 'r'
UNION ALL
SELECT name, ltrim(%(comment)s::text) || text FROM (
    SELECT name, obj_description(oid, 'pg_class') AS text FROM rel
    UNION ALL SELECT name, obj_description(oid, 'pg_proc') FROM fun
    UNION ALL SELECT name, obj_description(oid, 'pg_type') FROM typ
) AS described WHERE text IS NOT NULL
UNION ALL
SELECT 'default privileges', 'for ' || pg_get_userbyid(defaclrole) || ' on ' || defaclobjtype::text || ': '
    || defaclacl::text
FROM pg_default_acl JOIN space ON space.oid = defaclnamespace
UNION ALL {_ACL.format(name="name", source="rel", acl="relacl", owner="relowner", kind="r")} WHERE relkind <> 'S'
UNION ALL {_ACL.format(name="name", source="rel", acl="relacl", owner="relowner", kind="s")} WHERE relkind = 'S'
UNION ALL {_ACL.format(name="name", source="fun", acl="proacl", owner="proowner", kind="f")}
UNION ALL {_ACL.format(name="name", source="typ", acl="typacl", owner="typowner", kind="T")}
UNION ALL {_ACL.format(name="'schema'", source="pg_namespace AS n", acl="n.nspacl", owner="n.nspowner", kind="n")}
    WHERE n.nspname = %(schema)s
UNION ALL
SELECT tab.name, 'column grant ' || a.privilege_type || ' (' || quote_ident(t.attname) || ') to '
    || CASE a.grantee WHEN 0 THEN 'PUBLIC' WHEN tab.relowner THEN 'owner' ELSE pg_get_userbyid(a.grantee)::text END
FROM tab JOIN pg_attribute AS t ON t.attrelid = tab.oid AND t.attnum > 0 AND NOT t.attisdropped
CROSS JOIN LATERAL aclexplode(t.attacl) AS a
"""


def snapshot(
    conn: psycopg.Connection[Any], schema: str, path: Sequence[str] | None = None, *, comments: bool = True
) -> Snapshot:
    """Return the objects of `schema`: name (`table chats`, `function f(integer)`) → sorted lines.

    `path` is the search path under which definitions are written out, by default schema, platform and pg_temp: two
    snapshots compare only under paths that differ in nothing but the schema. Without `comments` they are left out.
    Works inside and outside a transaction; the search path is put back. Returns {} when there is no such schema.
    """
    names = ", ".join(identifier(name) for name in path or dict.fromkeys((schema, "platform", "pg_temp")))
    before = conn.execute("SELECT current_setting('search_path')").fetchone()
    conn.execute("SELECT set_config('search_path', %s, false)", [names])
    try:
        comment = " comment " if comments else None
        rows = conn.execute(_SQL.encode(), {"schema": schema, "history": list(TABLES), "comment": comment}).fetchall()
    finally:
        if conn.info.transaction_status != psycopg.pq.TransactionStatus.INERROR:
            conn.execute("SELECT set_config('search_path', %s, false)", before)
    normal = _normaliser(schema)
    found: Snapshot = {}
    for name, line in rows:
        if line is not None:
            found.setdefault(normal(name), []).append(normal(line))
    return {name: sorted(found[name]) for name in sorted(found)}


def differences(expected: Snapshot, actual: Snapshot, *, extra: bool = True) -> list[str]:
    """Return one line for each thing of `expected` that `actual` lacks and, with `extra`, the other way round."""
    found = []
    for name in sorted(expected.keys() | (actual.keys() if extra else set())):
        if name not in actual:
            found.append(f"{name}: missing")
        elif name not in expected:
            found.append(f"{name}: not made by the files")
        else:
            have, want = actual[name], expected[name]
            found += [f"{name}: missing: {line}" for line in want if line not in have]
            if extra:
                found += [f"{name}: not made by the files: {line}" for line in have if line not in want]
    return found


def _normaliser(schema: str) -> Callable[[str], str]:
    """Return a function that replaces the schema's name where it qualifies a name or stands in a path."""
    names = sorted({schema, identifier(schema)}, key=len, reverse=True)
    either = "|".join(re.escape(name) for name in names)
    pattern = re.compile(
        rf"(?<![\w$\"])(?:{either})(?=\.)"
        rf"|(?<=search_path TO )'?(?:{either})'?(?=,|\n|$)"
        rf"|(?<=search_path=)(?:{either})(?=,|$)"
    )
    return lambda text: pattern.sub("<schema>", text) if any(name in text for name in names) else text
