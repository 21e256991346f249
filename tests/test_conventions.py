"""The design's conventions for SQL files that no linter knows, checked over every file of every chain.

Pairing, numbering, dependencies and encoding are the runner's own conventions: `companion lint` checks them, and
tests/runner/files/test_tree.py tests that.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from runner.files.tree import PLATFORM, File, open_tree

TREE = open_tree()
ROLES = "FROM PUBLIC, anon, authenticated, service_role;"


def files(*, rollback: bool = False) -> Iterator[tuple[str, File, str]]:
    """Yield (system, file, text without comments and literals of more than one line) of every file of every chain."""
    for system in TREE.systems:
        for file in TREE.chain(system).files:
            text = file.rollback_text if rollback else file.text
            yield system, file, re.sub(r"^\s*--.*$", "", text, flags=re.M)


def offenders(pattern: str, *, systems_only: bool = False, rollback: bool = False) -> list[str]:
    return [
        file.id
        for system, file, text in files(rollback=rollback)
        if re.search(pattern, text, re.I | re.M) and not (systems_only and system == PLATFORM)
    ]


@pytest.mark.parametrize("rollback", [False, True])
def test_systems_create_plainly_so_that_drift_fails_loudly(rollback: bool) -> None:
    assert (
        offenders(r"\bIF NOT EXISTS\b(?! \()|\bOR REPLACE\b|\bDROP \w+ IF EXISTS\b|\bCASCADE;", rollback=rollback) == []
    )


def test_no_file_changes_default_privileges() -> None:
    assert offenders(r"\bALTER DEFAULT PRIVILEGES\b") == []


def test_systems_do_not_name_their_schema() -> None:
    names = "|".join(system for system in TREE.systems if system != PLATFORM)
    assert offenders(rf"(?<![\w.])(?:{names})\.\w") == []


def test_a_table_has_a_file_of_its_name_that_closes_it() -> None:
    wrong = []
    for _, file, text in files():
        tables = re.findall(r"^CREATE TABLE (\w+)\b(?! PARTITION OF)", text, re.M)
        if not tables:
            continue
        (table,) = tables
        if (
            file.id[5:] != table
            or f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;" not in text
            or f"REVOKE ALL ON {table} {ROLES}" not in text
        ):
            wrong.append(file.id)
    assert wrong == []


def test_a_sequence_is_closed_with_the_table_it_counts_for() -> None:
    """Default privileges, as those of Supabase's public, would open it."""
    wrong = []
    for _, file, text in files():
        for table, body in re.findall(r"^CREATE TABLE (\w+) \((.*?)^\)", text, re.M | re.S):
            for column in re.findall(r"^    (\w+) .*\b(?:AS IDENTITY|serial)\b", body, re.M | re.I):
                if f"REVOKE ALL ON SEQUENCE {table}_{column}_seq {ROLES}" not in text:
                    wrong.append(f"{file.id}: {table}.{column}")
    assert wrong == []


def test_a_function_is_closed_by_the_file_that_creates_it() -> None:
    wrong = []
    for _, file, text in files():
        for function in re.findall(r"^CREATE FUNCTION (\w+)\(", text, re.M):
            if not re.search(rf"^REVOKE ALL ON FUNCTION {function}\([^)]*\) {re.escape(ROLES)}$", text, re.M):
                wrong.append(f"{file.id}: {function}")
    assert wrong == []


def test_grants_and_policies_stand_in_policies_only() -> None:
    """But for the schema of an extension, which is no system's."""
    wrong = [
        file.id
        for system, file, text in files()
        if system != PLATFORM
        and file.path.parent.parent.name != "policies"
        and re.search(r"^\s*(GRANT(?! USAGE ON SCHEMA extensions)|CREATE POLICY)\b", text, re.M)
    ]
    assert wrong == []


def test_every_file_says_why_it_is_there() -> None:
    wrong = [
        f"{system} {file.id}"
        for system, file, _ in files()
        if not re.match(r"(-- (depends|requires|transactional): .*\n)*-- \w", file.text)
        or re.match(r"(-- (depends|requires|transactional): .*\n)+(?!-- )", file.text)
    ]
    assert wrong == []
