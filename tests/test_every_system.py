"""What holds in every system, whatever it is about."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from docs.generate.model import read
from tests.cron import with_pg_cron
from tests.databases import INSTANCES
from tests.people import Person, outcome

SYSTEM = {schema: system for system, schemas in INSTANCES.items() for schema in schemas}

# A value of every type; of others the first label.
VALUES = {
    "bigint": "1",
    "boolean": "TRUE",
    "character varying": "'x'",
    "date": "current_date",
    "double precision": "1",
    "inet": "'::1'",
    "integer": "1",
    "jsonb": "'{}'",
    "numeric": "1",
    "text": "'x'",
    "timestamp with time zone": "now()",
    "uuid": "gen_random_uuid()",
    "vector": "array_fill(1, ARRAY[1536])::extensions.vector",
}


@pytest.fixture(params=SYSTEM)
def schema(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def value(type_: str) -> str:
    if type_.endswith("[]"):
        return "'{}'"
    return VALUES.get(type_.partition("(")[0], f"(enum_range(NULL::{type_}))[1]")


def test_what_is_never_null_refuses_null(db: Person, schema: str) -> None:
    """Each column of which the contract says so, whatever else is wrong with the row."""
    # No trigger fills it in, or refuses the row before.
    db.run("SET LOCAL session_replication_role = replica")
    taken, count = [], 0
    for table, one in read(SYSTEM[schema]).tables.items():
        given = (pair for pair in one["columns"].items() if "generated" not in pair[1])
        columns = {name: said for name, said in given if said.get("identity") != "always"}
        for name in (name for name, said in columns.items() if not said["null"]):
            values = ("NULL" if other == name else value(said["type"]) for other, said in columns.items())
            sql = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join(values)})"
            refused = None
            try:
                with db.conn.transaction(force_rollback=True):
                    db.run(sql)
            except psycopg.Error as error:
                refused = error.diag.sqlstate, error.diag.column_name
            taken += [] if refused == ("23502", name) else [f"{table}.{name}: {refused}"]
            count += 1
    assert (taken, count > 50) == ([], True)


# Rows belong to one person

ANN = UUID("7b52fb97-b990-8c9e-6373-0b6ded8c4eb9")

# Which column of users a token names, where it is not the id.
NAMED_BY_TOKENS = {"chatvrm": "auth0_id", "othello": "external_id"}


def made_up(table: str, one: dict[str, Any], **given: Any) -> str:
    """Return an INSERT of a row that has what a row needs, and `given`."""
    needed = {name: value(said["type"]) for name, said in one["columns"].items() if not said["null"]}
    needed = {name: said for name, said in needed.items() if "generated" not in one["columns"][name]}
    needed |= {name: f"'{said}'" for name, said in given.items()}
    return f"INSERT INTO {table} ({', '.join(needed)}) VALUES ({', '.join(needed.values())})"


def policies_for_writing(tables: dict[str, Any]) -> Iterator[tuple[str, str, set[str]]]:
    """Yield, for each policy by which users write: the table, the column that names the owner, and the commands."""
    for table, one in tables.items():
        for policy in one["policies"].values():
            commands = {"INSERT", "UPDATE"} & {*one["grants"].get("authenticated", ())}
            if policy["command"] != "ALL":
                commands &= {policy["command"]}
            if "authenticated" in policy["roles"] and commands:
                owner = re.match(r"\(+(\w+) = \( SELECT current_user_id\(\)", policy["check"])
                assert owner, f"{table} is written by others than owners"
                yield table, owner[1], commands


def test_policies_alone_keep_users_from_writing_rows_of_others(db: Person, schema: str) -> None:
    """Most triggers that guard the owner act before a policy is asked; here there are none, nor other rules."""
    tables = read(SYSTEM[schema]).tables
    db.run("SET LOCAL session_replication_role = replica")
    for table, one in tables.items():
        for name, said in one["constraints"].items():
            if said["definition"].startswith("CHECK"):
                db.run(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    if "users" in tables:
        db.run(made_up("users", tables["users"], **{NAMED_BY_TOKENS.get(SYSTEM[schema], "id"): ANN}))
    with db.as_user(ANN):
        ann = db.value("SELECT current_user_id()")
    bob = ann + 1 if isinstance(ann, int) else uuid4()
    written, count = [], 0
    for table, owner, commands in policies_for_writing(tables):
        if table != "users":
            db.run(made_up(table, tables[table], **{owner: ann}))
        with db.as_user(ANN):
            attempts = {
                "INSERT": made_up(table, tables[table], **{owner: bob}),
                # Without WHERE: what is read must satisfy the policy for reading as well.
                "UPDATE": f"UPDATE {table} SET {owner} = '{bob}'",
            }
            if "UPDATE" in commands:
                assert db.run(f"UPDATE {table} SET {owner} = '{ann}'") == 1
            for command in sorted(commands):
                sqlstate, _, message, *_ = (*outcome(db, attempts[command], {}), None, None)
                refused = sqlstate == "42501" and "violates row-level security policy" in str(message)
                written += [] if refused else [f"{command} {table}: {message or sqlstate}"]
                count += 1
    assert (written, count > 5) == ([], True)


# Jobs


def test_pg_cron_is_kept_in_step_with_the_jobs_of_each_system(db: Person, schema: str) -> None:
    with_pg_cron(db)
    db.run("INSERT INTO jobs VALUES ('mine', '0 5 * * *', 'SELECT 1', 'Mine')")
    ours = "SELECT schedule, command FROM cron.job WHERE jobname = %s"
    assert db.rows(ours, [f"{schema}:mine"]) == [("0 5 * * *", "SELECT 1")]
    db.run("DELETE FROM jobs WHERE name = 'mine'")
    assert db.rows(ours, [f"{schema}:mine"]) == []


def test_a_job_has_a_schedule_that_cron_knows(db: Person) -> None:
    with db.refused("jobs_schedule_check"):
        db.run("INSERT INTO jobs VALUES ('mine', '61 * * * *', 'SELECT 1', 'Mine')")


# The record of runs of jobs


FINISHED = "INSERT INTO job_runs (job, finished_at, outcome) VALUES ('mine', now(), {})"


def test_a_run_ends_with_an_outcome_that_is_known(db: Person) -> None:
    for ending in ("succeeded", "failed", "interrupted"):
        assert db.run(FINISHED.format(f"'{ending}'")) == 1
    with db.refused("job_runs_outcome_check"):
        db.run(FINISHED.format("'lost'"))
    with db.refused("job_runs_finished_check"):
        db.run(FINISHED.format("NULL"))
    with db.refused("job_runs_finished_check"):
        db.run("INSERT INTO job_runs (job, outcome) VALUES ('mine', 'failed')")


def test_a_job_has_one_run_that_goes_on(db: Person) -> None:
    db.run("INSERT INTO job_runs (job) VALUES ('mine'), ('other')")
    with db.refused("job_runs_running_key"):
        db.run("INSERT INTO job_runs (job) VALUES ('mine')")


def test_services_read_the_record_and_write_none(db: Person) -> None:
    db.run("INSERT INTO job_runs (job) VALUES ('mine')")
    with db.as_service():
        assert [row.job for row in db.rows("SELECT job FROM job_runs")] == ["mine"]
        for sql in ("UPDATE job_runs SET job = 'x'", "DELETE FROM job_runs", "INSERT INTO job_runs (job) VALUES ('x')"):
            with db.refused(sqlstate="42501"):
                db.run(sql)
    for person in (db.as_user("7b52fb97-b990-8c9e-6373-0b6ded8c4eb9"), db.as_anon()):
        with person, db.refused(sqlstate="42501"):
            db.run("SELECT FROM job_runs")


def test_jobs_fill_what_a_dump_was_restored_without(db: Person, schema: str) -> None:
    """A materialized view may come without its rows: pg_restore --section, or one that stopped."""
    views = [name for (name,) in db.rows("SELECT matviewname FROM pg_matviews WHERE schemaname = %s", [schema])]
    for view in views:
        db.run(f"REFRESH MATERIALIZED VIEW {view} WITH NO DATA")
    for _ in range(2):
        for (command,) in db.rows("SELECT command FROM jobs WHERE command ~ 'refresh'"):
            db.run(command)
        populated = db.rows("SELECT matviewname FROM pg_matviews WHERE schemaname = %s AND ispopulated", [schema])
        assert [name for (name,) in populated] == views
