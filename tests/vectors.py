"""Embeddings for tests: single ones, many in clusters, and what searches find among them."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.people import Person

DIMENSIONS = 1536


def vector(*leading: float, noise: float = 0.0, seed: int = 0) -> str:
    """Return a vector literal: these leading coordinates, then zeros, plus noise of this length somewhere."""
    values = [*leading, *[0.0] * (DIMENSIONS - len(leading))]
    if noise:
        source = random.Random(seed)
        directions = [source.gauss(0, 1) for _ in range(DIMENSIONS)]
        scale = noise / math.sqrt(sum(part * part for part in directions))
        values = [value + scale * part for value, part in zip(values, directions, strict=True)]
    return "[" + ",".join(f"{value:.6g}" for value in values) + "]"


CLUSTERS = """
SET LOCAL search_path = {schema}, platform, extensions, pg_temp;
SET LOCAL maintenance_work_mem = '400MB';
-- Shared memory, which several processes would need, is scarce in some containers.
SET LOCAL max_parallel_maintenance_workers = 0;
SET LOCAL work_mem = '64MB';
SELECT setseed(0.25);

-- Vectors of these lengths in random directions; noise is the sum of four, of length 0.55.
CREATE TEMPORARY TABLE parts ON COMMIT DROP AS
SELECT
    k.kind,
    n,
    ARRAY(
        SELECT (random() - 0.5) * k.length / sqrt(128) FROM generate_series(1, 1536 + 0 * n)
    )::real[]::vector(1536) AS part
FROM (VALUES ('common', 1, 0.6), ('topic', 60, 0.6), ('noise', 2000, 0.275)) AS k (kind, count, length)
CROSS JOIN LATERAL generate_series(1, k.count) AS n;

ANALYZE parts;

-- Queries, each about another topic.
CREATE TABLE queries AS
SELECT t.n, g.part + t.part + a.part + b.part + c.part + d.part AS query
FROM parts AS g, parts AS t, parts AS a, parts AS b, parts AS c, parts AS d
WHERE
    g.kind = 'common' AND t.kind = 'topic' AND t.n <= {queries}
    AND (a.kind, b.kind, c.kind, d.kind) = ('noise', 'noise', 'noise', 'noise')
    AND (a.n, b.n, c.n, d.n) = (t.n, 100 + t.n, 200 + t.n, 300 + t.n);
"""


@contextmanager
def clusters(db: Person, queries: int) -> Iterator[None]:
    """Make vectors to be added up: table `parts` for the length of the transaction, and table `queries`, of this many.

    What is added up in the block is inserted without the vector indexes, which are built at its end: filling them row
    by row takes many times as long.
    """
    indexes = db.rows(
        "SELECT indexname, indexdef FROM pg_indexes WHERE indexdef ~ 'USING hnsw' AND schemaname = %s",
        [db.schema],
    )
    db.run(CLUSTERS.format(schema=db.schema, queries=queries))
    db.run(f"DROP INDEX {', '.join(index.indexname for index in indexes)}")
    yield
    for index in indexes:
        db.run(index.indexdef)


@dataclass
class Tally:
    """What searches found, beside what they had to find."""

    found: list[list[Any]] = field(default_factory=list)
    best: list[list[Any]] = field(default_factory=list)

    def add(self, found: list[Any], best: list[Any]) -> None:
        self.found.append([row.id for row in found])
        self.best.append([row.id for row in best])
        values = [row[-1] for row in found]
        assert values == sorted(values, reverse=True)

    def check(self, exact: bool, recall: float = 0.95) -> None:
        """See that all are found; with the index a few may be others than the best, but none may be missing."""
        assert [len(ids) for ids in self.found] == [len(ids) for ids in self.best]
        assert [len({*ids}) for ids in self.found] == [len(ids) for ids in self.best]
        if exact:
            assert self.found == self.best
        hits = sum(len({*found} & {*best}) for found, best in zip(self.found, self.best, strict=True))
        assert hits >= recall * sum(len(ids) for ids in self.best) > 0
