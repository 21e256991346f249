"""Looking into SQL text, and showing it."""

from __future__ import annotations

import pytest

from runner.files.text import (
    blank,
    for_transaction,
    outside_command,
    statements,
    transaction_command,
    without_concurrently,
)


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


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("SELECT 1 /* a /* nested; */ comment */ + 2", ["SELECT", "1", "+", "2"]),
        ("SELECT 1 -- 'one\n+ 2", ["SELECT", "1", "+", "2"]),
        (r"SELECT E'it\'s; ' + 2", ["SELECT", "+", "2"]),
        ("SELECT 'C:\\' + 2", ["SELECT", "+", "2"]),
        ("SELECT a$b$c, $b$ ; $b$ + 2", ["SELECT", "a$b$c,", "+", "2"]),
        ("SELECT date'2020-01-01' + 2", ["SELECT", "date", "+", "2"]),
        ("SELECT 'it''s' || \"a\"\"b;\" + 2", ["SELECT", "||", "+", "2"]),
        ("SELECT /* without an end; ", ["SELECT"]),
        ("SELECT 'without an end; ", ["SELECT"]),
        ("SELECT $ä$ ; $ä$ + $1", ["SELECT", "+", "$1"]),
    ],
)
def test_what_is_no_code_is_left_out(text: str, code: list[str]) -> None:
    assert blank(text).split() == code
    assert len(blank(text)) == len(text)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0), ("-- nothing;\n/* ; */ ;;", 0), ("SELECT 1", 1), ("SELECT 1;\n-- the end\n", 1),
        ("SELECT 1; SELECT 2", 2),
        ("DO $$ BEGIN COMMIT; END $$;", 1), ("SELECT ';'; \n", 1), ("SELECT 1; /* a; */", 1),
        ("CREATE RULE r AS ON INSERT TO t DO ALSO (INSERT INTO u VALUES (1); DELETE FROM v);", 1),
        ("CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END; SELECT 3;", 2),
    ],
)  # fmt: skip
def test_statements_are_counted_by_their_semicolons(text: str, count: int) -> None:
    assert len(statements(text)) == count


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("CREATE INDEX CONCURRENTLY i ON t (a)", "CREATE INDEX CONCURRENTLY"),
        ("SELECT 1;\n create unique /* ! */ index\nconcurrently \"i\" on t (a)", "CREATE INDEX CONCURRENTLY"),
        ("DROP INDEX CONCURRENTLY i", "DROP INDEX CONCURRENTLY"),
        ("REINDEX (VERBOSE) TABLE CONCURRENTLY t", "REINDEX CONCURRENTLY"),
        ("ALTER TABLE t DETACH PARTITION p CONCURRENTLY", "DETACH PARTITION CONCURRENTLY"),
        ("VACUUM (ANALYZE) t;", "VACUUM"),
        ("ALTER SYSTEM SET work_mem = '1GB'", "ALTER SYSTEM"),
        ("CREATE DATABASE x", "CREATE or DROP DATABASE"),
    ],
)  # fmt: skip
def test_what_cannot_run_inside_a_transaction_is_told_by_its_words(text: str, name: str) -> None:
    found = outside_command(text)
    assert found is not None and found[1] == name


@pytest.mark.parametrize(
    "text",
    ["-- CREATE INDEX CONCURRENTLY", "SELECT 'VACUUM'; SELECT 1 AS vacuum", "REFRESH MATERIALIZED VIEW CONCURRENTLY v",
     "CREATE INDEX concurrently_made ON t (a)", "DO $$ BEGIN EXECUTE 'VACUUM'; END $$", "CLUSTER t USING i",
     "COMMENT ON DATABASE x IS 'CREATE DATABASE x'", "REINDEX TABLE t", "CREATE TABLE vacuum (a int)",
     "/* /* */ VACUUM; */ SELECT 1", "CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $$ VACUUM t; $$"],
)  # fmt: skip
def test_what_only_looks_like_it_may(text: str) -> None:
    assert outside_command(text) is None
