"""Every way a tree can be broken, one folder of tests/trees/ each, with the sentence it is refused with."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.errors import TreeError, UsageError
from runner.files.tree import Tree, directives
from tests.runner.trees import FAULTS, TREES


@pytest.mark.parametrize("name", FAULTS)
def test_a_broken_tree_is_refused_by_file_and_reason(name: str) -> None:
    with pytest.raises(TreeError) as caught:
        Tree(TREES / name).chain("demo")
    file, reason = FAULTS[name]
    assert [fault for fault in caught.value.faults if fault.path.name == file and reason in fault.message]


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
