"""Made-up embeddings in clusters, and queries of the same kind: what the searches by meaning are measured with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from bench.measure import Row

Searches: TypeAlias = "list[tuple[str, str]]"
"""Queries of the kind that the rows are of, each with one of no kind."""

# Signs times noise give many vectors that have nothing to do with each other out of a few hundred random ones.
POOL_SQL = """
CREATE TEMPORARY TABLE pool AS
SELECT
    k.kind, n,
    (
        SELECT array_agg(CASE k.kind WHEN 'sign' THEN sign(r.part) ELSE k.length * r.part * sqrt(12.0 / 1536) END)
        FROM (SELECT random() - 0.5 AS part FROM generate_series(1, 1536) WHERE n >= 0) AS r
    )::real[]::vector(1536) AS v
FROM (
    VALUES ('common', 1, 0.6), ('centre', 60, 0.6), ('noise', 200, 0.55), ('sign', 150, 1)
) AS k (kind, vectors, length)
CROSS JOIN LATERAL generate_series(0, k.vectors - 1) AS n;
CREATE UNIQUE INDEX ON pool (kind, n);
ANALYZE pool
"""
QUERIES_SQL = """
SELECT l2_normalize(common.v + centre.v + noise.v * sign.v)::text, l2_normalize(noise.v * sign.v)::text
FROM generate_series(0, %(queries)s - 1) AS place
INNER JOIN pool AS common ON common.kind = 'common'
INNER JOIN pool AS centre ON centre.kind = 'centre' AND centre.n = place %% 60
INNER JOIN pool AS noise ON noise.kind = 'noise' AND noise.n = 150 + place %% 50
INNER JOIN pool AS sign ON sign.kind = 'sign' AND sign.n = place
ORDER BY place
"""


def indexed(plan: dict[str, Any], table: str) -> None:
    """Raise RuntimeError for a plan that does not follow the vector index of a table."""
    if plan.get("Index Name") != f"{table}_embedding_idx":
        if "Plans" not in plan:
            raise RuntimeError(f"the bare query does not use {table}_embedding_idx: {plan}")
        indexed(plan["Plans"][0], table)


def found_row(
    what: str, searches: Searches, search: Callable[[str], list[Any]], exact: Callable[[str], list[Any]]
) -> Row:
    """Return the row that says how many rows a search finds, and which share of those that it has to find."""
    short = right = returned = recalled = 0
    for query, _ in searches:
        best, found = exact(query), search(query)
        short += len(found) < len(best)
        right += len(best)
        returned += len(found)
        recalled += len({*best}.intersection(found))
    recall = recalled / right
    return Row(
        what,
        f"{returned / len(searches):.3g} rows, {recall:.3f}",
        f"{right / len(searches):.3g} rows",
        aim="all rows, ≥ 0.95",
        met=not short and recall >= 0.95,
    )
