"""What holds in every system, whatever it is about."""

from __future__ import annotations

import psycopg
import pytest

from docs.generate.model import read
from tests.conftest import INSTANCES
from tests.people import Person

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


# The record of runs of jobs


FINISHED = "INSERT INTO job_runs (job, finished_at, outcome) VALUES ('mine', now(), {})"


def test_a_run_ends_with_an_outcome_that_is_known(db: Person) -> None:
    for outcome in ("succeeded", "failed", "interrupted"):
        assert db.run(FINISHED.format(f"'{outcome}'")) == 1
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
