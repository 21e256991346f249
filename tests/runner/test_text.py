"""Looking into SQL text, and showing it."""

from __future__ import annotations

import pytest

from runner.database import Session, redact, wrap
from runner.display import caret_line, excerpt
from runner.text import blank, for_transaction, transaction_command, without_concurrently


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


def test_a_caret_stands_under_its_column_after_tabs_and_wide_letters() -> None:
    assert caret_line("\t'表' x", 6) == "\t     ^"
    assert caret_line("e\u0301 x", 4) == "  ^"


def test_an_excerpt_shows_the_line_before() -> None:
    assert excerpt("SELECT 1,\nFROM;", 2, 1) == [" 1 | SELECT 1,", " 2 | FROM;", "   | ^"]


@pytest.mark.parametrize(
    "text",
    ["postgresql://me:s3cret@host/db", "host=x password=s3cret dbname=y", "host=x password='s3 cret' user=y",
     "postgresql://host/db?user=me&password=s3cret"],
)  # fmt: skip
def test_passwords_are_hidden(text: str) -> None:
    assert "cret" not in redact(text)


def test_a_file_is_wrapped_in_tags_it_does_not_contain() -> None:
    text = "SELECT $companion_1$ % $$ $companion_1$;"
    session = Session(None, "o'me", "back\\slash", 1, "")
    assert text in wrap(session, text) and wrap(session, text).startswith("DO $companion_")
