"""The trees of tests/trees/, one folder for each way in which a tree can be."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

TREES = Path(__file__).parent.parent / "trees"


CopyTree = Callable[[str], Path]


FAULTS = {
    "missing_rollback": ("0002_b.sql", "has no rollback: 0002_b.rollback.sql is missing beside it"),
    "orphan_rollback": ("0003_c.rollback.sql", "is a rollback without 0003_c.sql beside it"),
    "duplicate_number": ("0002_c.sql", "has number 0002 too, like functions/demo/0002_b.sql"),
    "gap": ("0003_b.sql", "has number 0003 where 0002 should come next"),
    "missing_depends": ("0002_b.sql", "begin it with `-- depends: 0001_a`"),
    "wrong_depends": ("0002_b.sql", "depends on 0001_x, but 0001_a comes before it"),
    "first_depends": ("0001_a.sql", "is the first file and must not depend on another"),
    "bad_name": ("3_c.sql", "name is not NNNN_slug.sql"),
    "bom": ("0002_b.sql", "starts with a byte order mark"),
    "crlf": ("0002_b.sql", "has CRLF line ends"),
    "latin1": ("0002_b.sql", "is not UTF-8 (byte"),
    "nul": ("0002_b.sql", "holds a NUL byte"),
    "no_statement": ("0002_b.sql", "holds no statement"),
    "empty_rollback": ("0002_b.rollback.sql", "is empty"),
    "bad_directive": ("0002_b.sql", "says `transactional: perhaps`"),
}
