"""Looking into SQL text, and showing it."""

from __future__ import annotations

import pytest

from runner.files.text import blank, for_transaction, transaction_command, without_concurrently


@pytest.mark.parametrize(
    "text",
    ["-- COMMIT;\nSELECT 1;", "SELECT '; COMMIT';", "DO $x$ BEGIN NULL; END $x$;", 'SELECT 1 AS "; COMMIT";',
     "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; END;", "SELECT CASE WHEN true THEN 1 END;"],
)  # fmt: skip
def test_what_only_looks_like_a_commit_is_none(text: str) -> None:
    assert transaction_command(text) is None


def test_a_commit_is_found_where_it_stands() -> None:
    text = "SELECT 'é;'; /* x */ COMMIT;"
    found = transaction_command(text)
    assert found is not None and text[found:] == "COMMIT;"


def test_blanking_keeps_every_position() -> None:
    text = "SELECT 'a\nb', $q$ it's $q$ -- c\n, 1"
    assert len(blank(text)) == len(text)
    assert blank(text).split() == ["SELECT", ",", ",", "1"]


def test_concurrently_is_left_out_only_where_it_is_code() -> None:
    text = "CREATE INDEX CONCURRENTLY i ON t ((x = 'CONCURRENTLY'));"
    assert without_concurrently(text) == "CREATE INDEX  i ON t ((x = 'CONCURRENTLY'));"


def test_a_commit_is_left_out_of_a_block_only_where_it_is_code() -> None:
    text = (
        "DO $x$ BEGIN IF f('COMMIT;') THEN commit /* COMMIT; */; END IF; COMMIT AND CHAIN; END $x$; SELECT $$COMMIT;$$"
    )
    expected = "DO $x$ BEGIN IF f('COMMIT;') THEN NULL /* COMMIT; */; END IF; NULL; END $x$; SELECT $$COMMIT;$$"
    assert for_transaction(text) == (expected, "COMMIT")
    assert for_transaction("INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING; -- DO $$ COMMIT; $$")[1] == ""
