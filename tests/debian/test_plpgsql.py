"""What plpgsql_check finds in the functions by reading them, also where no test comes by: nothing."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

import psycopg
import pytest
from psycopg.rows import args_row

from runner.files.tree import open_tree

TREE = open_tree()

Connection = psycopg.Connection[Any]

MADE = re.compile(r"^CREATE (?:OR REPLACE )?FUNCTION (\w+)\((?:(?!^CREATE )[^$])*?^LANGUAGE plpgsql$", re.M)
DROPPED = re.compile(r"^DROP FUNCTION (\w+)", re.M)

# A trigger function is read once for each table it is on, whichever system's. It has a branch for each event, and so
# gets all transition tables that its triggers there declare. A function that is right has one row without a message.
CHECK = """
WITH used AS (
    SELECT
        p.oid, format('%%s.%%s', n.nspname, p.proname) AS function, coalesce(t.tgrelid, 0)::regclass AS relation,
        max(t.tgoldtable::text)::name AS old_rows, max(t.tgnewtable::text)::name AS new_rows
    FROM pg_proc AS p
    INNER JOIN pg_namespace AS n ON p.pronamespace = n.oid
    INNER JOIN pg_language AS l ON p.prolang = l.oid
    LEFT JOIN pg_trigger AS t ON t.tgfoid = p.oid
    WHERE l.lanname = 'plpgsql' AND n.nspname = ANY(%s)
    GROUP BY p.oid, n.nspname, p.proname, t.tgrelid
)
SELECT
    u.function, (SELECT count(*) FROM used AS o WHERE o.oid = u.oid) AS tables, c.lineno, c.statement,
    c.message, c.detail, array_agg(u.relation::text ORDER BY u.relation::text) AS relations
FROM used AS u
LEFT JOIN LATERAL checker.plpgsql_check_function_tb(
    u.oid, u.relation, oldtable => u.old_rows, newtable => u.new_rows, all_warnings => TRUE, fatal_errors => FALSE
) AS c ON TRUE
GROUP BY u.oid, u.function, c.lineno, c.statement, c.message, c.detail
ORDER BY u.function, c.lineno, c.message
"""

# Where plpgsql_check is wrong, and how often.
WRONG: dict[tuple[str, str], int] = {
    # Only a RETURN leaves its loop.
    ("thinking_partner.get_or_create_chat_session", "control reached end of function without RETURN"): 1,
    # What it writes, and what it returns, is in SQL that is put together.
    ("aurum.slow_query_report", "routine is marked as VOLATILE, should be STABLE"): 1,
    ("aurum.stale_embeddings", "routine is marked as VOLATILE, should be STABLE"): 1,
    ("aurum.stale_embeddings", 'OUT variable "entity_id" is maybe unmodified'): 1,
    ("aurum.stale_embeddings", 'OUT variable "content_hash" is maybe unmodified'): 1,
    ("aurum.stale_embeddings", 'OUT variable "texts" is maybe unmodified'): 1,
    # Pieces of SQL that are literals of embedding_source() or, names in them by %I, of the function itself.
    ("aurum.stale_embeddings", "text type variable is not sanitized"): 1,
    ("aurum.set_embedding", "text type variable is not sanitized"): 2,
    ("aurum.nearest_rows", "text type variable is not sanitized"): 3,
    # pg_cron is in another database; that it is told is shown by test_pg_cron.py.
    ("platform.schedule_job", 'relation "cron.job" does not exist'): 1,
    ("platform.schedule_job", 'schema "cron" does not exist'): 1,
}

# They read the columns that their argument stands for: each line has to be right for one of their tables.
BY_ARGUMENT = {"aurum.count_for_user_stats", "aurum.log_change"}

# What must be found, and a function, in the schema hugo if it does not say otherwise, in which it is.
FAULTS = {
    "hugo.f1:1 PERFORM: column m.nothing does not exist": """
CREATE FUNCTION f1() RETURNS void LANGUAGE plpgsql AS
'BEGIN IF FALSE THEN PERFORM m.nothing FROM hugo.messages AS m; END IF; END'
""",
    'hugo.f2:1 DECLARE: unused variable "v_count"': """
CREATE FUNCTION f2() RETURNS void LANGUAGE plpgsql AS 'DECLARE v_count bigint; BEGIN END'
""",
    'hugo.f3: unused parameter "p_count"': """
CREATE FUNCTION f3(p_count bigint) RETURNS void LANGUAGE plpgsql AS 'BEGIN END'
""",
    "hugo.f4: routine is marked as VOLATILE, should be STABLE": """
CREATE FUNCTION f4() RETURNS bigint LANGUAGE plpgsql AS 'BEGIN RETURN (SELECT count(*) FROM hugo.messages); END'
""",
    "hugo.f5:1 EXECUTE: text type variable is not sanitized (The EXECUTE expression is SQL injection vulnerable.)": """
CREATE FUNCTION f5(p_name text) RETURNS void LANGUAGE plpgsql AS 'BEGIN EXECUTE ''DROP TABLE '' || p_name; END'
""",
    "hugo.f6:1 statement block: target type is different type than source type"
    ' (cast "timestamp with time zone" value to "date" type)': """
CREATE FUNCTION f6() RETURNS date LANGUAGE plpgsql AS 'DECLARE v_today date := now(); BEGIN RETURN v_today; END'
""",
    'hugo.f7:1 assignment: record "new" has no field "schedule" [messages]': """
CREATE FUNCTION f7() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN new.schedule := NULL; RETURN new; END';
CREATE TRIGGER t7 BEFORE INSERT ON jobs FOR EACH ROW EXECUTE FUNCTION f7();
CREATE TRIGGER t7 BEFORE INSERT ON messages FOR EACH ROW EXECUTE FUNCTION f7()
""",
    "hugo.f8:1 PERFORM: column n.nothing does not exist [jobs]": """
CREATE FUNCTION f8() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM n.nothing FROM new_rows AS n; RETURN NULL; END';
CREATE TRIGGER t8 AFTER INSERT ON jobs REFERENCING NEW TABLE AS new_rows EXECUTE FUNCTION f8()
""",
    'aurum.log_change:1 assignment: record "new" has no field "nothing"'
    " [aurum.areas, aurum.journal_entries, aurum.pillars, aurum.projects, aurum.tasks]": """
CREATE OR REPLACE FUNCTION aurum.log_change() RETURNS trigger LANGUAGE plpgsql AS
'BEGIN new.nothing := NULL; RETURN NULL; END'
""",
}


class Line(NamedTuple):
    """What is found in a line of a function, or for the function as a whole."""

    function: str
    tables: int
    lineno: int | None
    statement: str | None
    message: str | None
    detail: str | None
    relations: list[str]

    def __str__(self) -> str:
        place = f":{self.lineno} {self.statement}" if self.lineno else ""
        detail = f" ({self.detail})" if self.detail else ""
        tables = "" if self.relations == ["-"] else f" [{', '.join(self.relations)}]"
        return f"{self.function}{place}: {self.message}{detail}{tables}"


def check(conn: Connection) -> list[Line]:
    """Let plpgsql_check, in a schema of its own, read every function of every system under its own name."""
    conn.execute("CREATE SCHEMA checker")
    conn.execute("CREATE EXTENSION plpgsql_check SCHEMA checker")
    with conn.cursor(row_factory=args_row(Line)) as cursor:
        return cursor.execute(CHECK.encode(), [TREE.systems]).fetchall()


def findings(lines: list[Line]) -> list[Line]:
    """Return the lines with a message, without those that are right for one of the tables of a function BY_ARGUMENT."""
    found = [line for line in lines if line.message]
    failing: Counter[tuple[str, int | None]] = Counter()
    for line in found:
        failing[line.function, line.lineno] += len(line.relations)
    return [
        line for line in found if line.function not in BY_ARGUMENT or failing[line.function, line.lineno] >= line.tables
    ]


def written() -> set[str]:
    """Return the functions that the files make and leave, each with the system's name before it."""
    names = set()
    for system in TREE.systems:
        text = "".join(file.text for file in TREE.chain(system).files)
        names |= {f"{system}.{name}" for name in {*MADE.findall(text)} - {*DROPPED.findall(text)}}
    return names


@pytest.fixture
def conn(shared_database: str) -> Iterator[Connection]:
    """The owner, in a transaction that is rolled back."""
    with psycopg.connect(shared_database) as conn:
        yield conn
        conn.rollback()


def test_nothing_is_found_in_any_function(conn: Connection) -> None:
    lines = check(conn)
    assert {line.function for line in lines} == written()
    found = findings(lines)
    assert [str(line) for line in found if (line.function, line.message) not in WRONG] == []
    assert Counter((line.function, line.message) for line in found) == WRONG


def test_faults_are_found(conn: Connection) -> None:
    conn.execute("SET search_path = hugo, platform, pg_temp")
    for function in FAULTS.values():
        conn.execute(function.encode())
    found = {str(line) for line in findings(check(conn))}
    assert [fault for fault in FAULTS if fault not in found] == []
