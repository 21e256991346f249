"""What `companion lint` finds before any other linter does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from runner.files.tree import Tree
from runner.lint.conventions import conventions
from tests.runner.trees import TREES


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
    assert (
        fault.message
        == "says `transactional: false` and holds 2 statements; outside a transaction a file holds one: split it"
    )


@pytest.mark.parametrize(
    ("statement", "lines"),
    [
        ("SELECT lower(name) FROM a", [2]),
        ("SELECT 1;\nSELECT upper ( trim(name) )", [3]),
        ("DO $$ BEGIN\nPERFORM initcap('x');\nEND $$;", [3]),
        ("DO $a$ BEGIN EXECUTE $b$\nSELECT lower('x') $b$; END $a$;", [3]),
        ('SELECT lower(name COLLATE "C"), upper(trim(name) COLLATE "default")', []),
        ("SELECT 'lower(x)'; -- lower(x)", []),
        ("SELECT slower(1), lower FROM a", []),
    ],
)
def test_folding_says_by_which_collation(tree: Callable[[str], Path], statement: str, lines: list[int]) -> None:
    root = tree("good")
    (root / "functions/demo/0002_b.sql").write_text(f"-- depends: 0001_a\n{statement}\n")
    faults = [fault for fault in conventions(Tree(root)) if "folds case" in fault.message]
    assert [fault.line for fault in faults] == lines
