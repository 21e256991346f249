"""Every way a tree can be broken, one folder of tests/trees/ each, with the sentence it is refused with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from runner.errors import TreeError, UsageError
from runner.lint import conventions
from runner.tree import Tree, directives
from tests.runner.conftest import TREES

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


@pytest.mark.parametrize("name", FAULTS)
def test_a_broken_tree_is_refused_by_file_and_reason(name: str) -> None:
    with pytest.raises(TreeError) as caught:
        Tree(TREES / name).chain("demo")
    file, reason = FAULTS[name]
    assert [fault for fault in caught.value.faults if fault.path.name == file and reason in fault.message]


def test_lint_names_the_same_faults() -> None:
    tree = Tree(TREES / "crlf")
    assert "has CRLF line ends" in next(fault.message for fault in conventions(tree))


def test_lint_minds_the_form() -> None:
    messages = [fault.message for fault in conventions(Tree(TREES / "form"))]
    assert messages == [
        "has trailing whitespace",
        "must end with exactly one newline",
        "begins or ends a transaction, which is the runner's business",
    ]


def test_lint_counts_the_statements_of_a_file_outside_transactions(tree: Callable[[str], Path]) -> None:
    root = tree("index")
    assert not conventions(Tree(root))
    file = root / "functions/demo/0002_b.sql"
    file.write_text(file.read_text() + "SELECT ';';\n")
    (fault,) = conventions(Tree(root))
    assert fault.message == "says `transactional: false` and holds 2 statements; it may hold only one"


def test_files_come_in_order_across_the_kinds() -> None:
    chain = Tree(TREES / "good").chain("demo")
    assert [file.id for file in chain.files] == ["0001_a", "0002_b"]
    assert chain.files[1].depends == ["0001_a"]


def test_systems_are_found_by_looking_platform_first() -> None:
    assert Tree(TREES / "two_systems").systems == ["platform", "demo", "other"]


def test_an_unknown_system_is_named_with_the_known_ones() -> None:
    with pytest.raises(UsageError) as caught:
        Tree(TREES / "good").chain("nope")
    assert caught.value.hint == "systems here: demo"


def test_a_folder_without_sql_is_no_tree(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        Tree(tmp_path)


def test_directives_are_leading_comments_only() -> None:
    text = "-- A table.\n\n-- depends: 0001_a\n-- requires: vector pg_trgm\nSELECT 1;\n-- transactional: false\n"
    assert directives(text) == {"depends": ["0001_a"], "requires": ["vector", "pg_trgm"]}
