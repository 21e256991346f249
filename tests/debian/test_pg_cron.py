"""Jobs where there is a pg_cron: in this database, or in another one of the server."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from runner.errors import DatabaseError, LedgerError
from runner.history.instances import Target
from runner.jobs import runs, schedule
from runner.migrate.apply import apply
from runner.migrate.rollback import rollback
from runner.migrate.seed import seed
from tests.debian.conftest import CRON_DATABASE
from tests.people import Person
from tests.platform.validators import VALIDATORS
from tests.runner.command import ROOT, run

EVERY_MINUTE = "* * * * *"

Rows = list[tuple[Any, ...]]


@pytest.fixture
def schema() -> str:
    return "hugo"


@pytest.fixture
def cron(cron_database: str) -> Iterator[Person]:
    """The owner of pg_cron's database."""
    with psycopg.connect(cron_database, autocommit=True) as conn:
        yield Person(conn, "hugo")


@pytest.fixture
def elsewhere(own_database: str, cron: Person, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of a database with Hugo beside pg_cron's, also in DATABASE_URL."""
    monkeypatch.setenv("DATABASE_URL", own_database)
    return own_database


@pytest.fixture
def owner(elsewhere: str) -> Iterator[Person]:
    """The owner of that database."""
    with psycopg.connect(elsewhere, autocommit=True) as conn:
        yield Person(conn, "hugo")


def scheduled(cron: Person) -> Rows:
    """Return all that pg_cron has, by name."""
    return [
        tuple(row) for row in cron.rows("SELECT jobname, schedule, command, database, active FROM cron.job ORDER BY 1")
    ]


def declared(db: Person, *schemas: str, prefix: str = "") -> Rows:
    """Return what pg_cron is to have of these instances of a database."""
    rows = [
        (f"{prefix}{schema}:{row.name}", row.schedule, row.command, db.conn.info.dbname, True)
        for schema in schemas
        for row in db.rows(f'SELECT * FROM "{schema}".jobs')
    ]
    return sorted(rows)


def prefix(url: str) -> str:
    """Return what the names of the jobs of a database begin with elsewhere."""
    return f"companion:{conninfo_to_dict(url)['dbname']}:"


# In the same database


def test_applying_schedules_and_rolling_back_unschedules(cron_database: str, cron: Person) -> None:
    apply(Target(cron_database, ["hugo"]))
    apply(Target(cron_database, ["hugo"], "hugo_acme"))
    assert scheduled(cron) == declared(cron, "hugo", "hugo_acme")
    assert len(scheduled(cron)) == 8
    rollback(Target(cron_database, ["hugo"], "hugo"), to="0064")
    assert [name for name, *_ in scheduled(cron) if name.startswith("hugo:")] == [
        "hugo:archive-conversations", "hugo:close-inactive-conversations"
    ]  # fmt: skip
    apply(Target(cron_database, ["hugo"], "hugo"))
    assert len(scheduled(cron)) == 8
    # A job of the DBA's own goes with the table.
    cron.run("INSERT INTO hugo.jobs VALUES ('mine', '0 5 * * *', 'SELECT 1', 'Mine')")
    rollback(Target(cron_database, ["hugo"], "hugo"), everything=True, discard_data=True)
    assert scheduled(cron) == declared(cron, "hugo_acme")


def test_a_bad_schedule_is_refused_when_applied(cron_database: str, cron: Person) -> None:
    apply(Target(cron_database, ["hugo"]))
    with cron.refused("jobs_schedule_check"):
        cron.run("UPDATE jobs SET schedule = '61 * * * *'")
    assert scheduled(cron) == declared(cron, "hugo")


@pytest.mark.parametrize("schedule", VALIDATORS["is_cron_schedule"][1])
def test_pg_cron_takes_every_schedule_that_is_accepted(cron: Person, schedule: str) -> None:
    assert cron.value("SELECT cron.schedule('trial', %s, 'SELECT 1')", [schedule])
    assert cron.value("SELECT schedule FROM cron.job WHERE jobname = 'trial'") == schedule


def test_jobs_from_before_pg_cron_are_scheduled_by_sync(
    cron_database: str, cron: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    cron.run("DROP EXTENSION pg_cron")
    apply(Target(cron_database, ["hugo"]))
    cron.run("CREATE EXTENSION pg_cron")
    assert {(one.by, one.state, one.next_run) for one in schedule.list_jobs(Target(cron_database))} == {
        ("pg_cron", "not scheduled", None)
    }
    monkeypatch.setenv("DATABASE_URL", cron_database)
    code, out, _ = run("jobs", "list")
    assert code == 3 and out.endswith("next: `companion jobs sync` brings pg_cron in step\n")
    wanted = {name: "scheduled" for name, *_ in declared(cron, "hugo")}
    assert schedule.sync(Target(cron_database), dry_run=True) == wanted
    assert scheduled(cron) == []
    assert schedule.sync(Target(cron_database)) == wanted
    assert scheduled(cron) == declared(cron, "hugo")
    assert schedule.sync(Target(cron_database)) == {}
    assert all(one.in_step and one.next_run for one in schedule.list_jobs(Target(cron_database)))


def test_sync_touches_no_job_of_others(cron_database: str, cron: Person) -> None:
    apply(Target(cron_database, ["hugo"]))
    others = [("nightly", "SELECT 1"), ("hugo_other:nightly", "SELECT 2"), ("hugo-nightly", "SELECT 3")]
    for name, command in others:
        cron.run("SELECT cron.schedule(%s, '0 0 * * *', %s)", [name, command])
    cron.run("SELECT cron.schedule('0 0 * * *', 'SELECT 4')")
    cron.run("SELECT cron.schedule('hugo:gone', '0 0 * * *', 'SELECT 5')")
    assert schedule.sync(Target(cron_database)) == {"hugo:gone": "removed"}
    kept = cron.rows("SELECT jobname, command FROM cron.job WHERE command !~ 'hugo' ORDER BY jobid")
    assert [tuple(row) for row in kept] == [*others, (None, "SELECT 4")]


def test_a_deactivated_job_is_left_so_and_a_changed_one_is_told(cron_database: str, cron: Person) -> None:
    apply(Target(cron_database, ["hugo"]))
    cron.run("SELECT cron.alter_job(jobid, active := FALSE) FROM cron.job WHERE jobname = 'hugo:decay-memories'")
    cron.run(
        "SELECT cron.alter_job(jobid, schedule := '0 0 * * *') FROM cron.job WHERE jobname = 'hugo:expire-memories'"
    )
    states = {
        one.job.job: (one.state, one.next_run is None, one.in_step) for one in schedule.list_jobs(Target(cron_database))
    }
    assert states == {
        "archive-conversations": ("scheduled", False, True),
        "close-inactive-conversations": ("scheduled", False, True),
        "decay-memories": ("inactive", True, True),
        "expire-memories": ("differs", True, False),
    }
    assert schedule.sync(Target(cron_database)) == {"hugo:expire-memories": "changed"}
    cron.run("UPDATE jobs SET schedule = '0 6 1 * *' WHERE name = 'decay-memories'")
    assert schedule.sync(Target(cron_database)) == {}
    assert [tuple(row) for row in cron.rows("SELECT schedule, active FROM cron.job WHERE NOT active")] == [
        ("0 6 1 * *", False)
    ]


# In another database


def test_sync_schedules_in_the_database_of_pg_cron(elsewhere: str, owner: Person, cron: Person) -> None:
    first = prefix(elsewhere)
    assert {(one.by, one.state) for one in schedule.list_jobs(Target(elsewhere))} == {
        (f"pg_cron in {CRON_DATABASE}", "not scheduled")
    }
    assert schedule.out_of_step(elsewhere)
    assert schedule.sync(Target(elsewhere)) == {name: "scheduled" for name, *_ in declared(owner, "hugo", prefix=first)}
    assert scheduled(cron) == declared(owner, "hugo", prefix=first)
    assert not schedule.out_of_step(elsewhere)
    assert all(one.in_step and one.next_run for one in schedule.list_jobs(Target(elsewhere)))


def test_sync_follows_what_is_declared(elsewhere: str, owner: Person, cron: Person) -> None:
    first = prefix(elsewhere)
    apply(Target(elsewhere, ["hugo"], "hugo_acme"))
    schedule.sync(Target(elsewhere))
    owner.run("UPDATE jobs SET schedule = '0 6 * * *' WHERE name = 'expire-memories'")
    owner.run("DELETE FROM jobs WHERE name = 'decay-memories'")
    owner.run("DELETE FROM hugo_acme.jobs WHERE name = 'decay-memories'")
    wanted = {f"{first}hugo:expire-memories": "changed", f"{first}hugo:decay-memories": "removed"}
    assert schedule.sync(Target(elsewhere, schema="hugo")) == wanted
    assert schedule.sync(Target(elsewhere)) == {f"{first}hugo_acme:decay-memories": "removed"}
    assert scheduled(cron) == declared(owner, "hugo", "hugo_acme", prefix=first)
    rollback(Target(elsewhere), everything=True, discard_data=True)
    assert schedule.out_of_step(elsewhere)
    assert set(schedule.sync(Target(elsewhere)).values()) == {"removed"}
    assert scheduled(cron) == []


def test_databases_of_one_server_do_not_take_each_others_jobs(
    elsewhere: str, cron_database: str, owner: Person, cron: Person
) -> None:
    apply(Target(cron_database, ["hugo"]))
    schedule.sync(Target(elsewhere))
    schedule.sync(Target(cron_database))
    assert scheduled(cron) == sorted(declared(owner, "hugo", prefix=prefix(elsewhere)) + declared(cron, "hugo"))


def test_whoever_changes_jobs_is_told_to_sync(elsewhere: str, cron: Person) -> None:
    note = "note: pg_cron is in another database: `companion jobs sync` brings it in step\n"
    schedule.sync(Target(elsewhere))
    code, _, err = run("rollback", "hugo", tree=ROOT / "sql")
    assert (code, note in err) == (0, False)
    code, _, err = run("rollback", "hugo", "--to", "0065", tree=ROOT / "sql")
    assert (code, note in err) == (0, True)
    code, out, _ = run("jobs", "sync")
    assert (code, out.splitlines()[1:]) == (0, [f"{prefix(elsewhere)}hugo:decay-memories  removed"])
    code, _, err = run("apply", "hugo", tree=ROOT / "sql")
    assert (code, note in err) == (0, True)
    assert run("jobs", "sync")[0] == 0
    assert run("jobs", "sync")[:2] == (0, "nothing to do: pg_cron has every job as declared\n")


def test_who_may_not_schedule_is_told_what_is_missing(elsewhere: str, owner: Person, cron: Person) -> None:
    database = owner.value("SELECT current_database()")
    role = f"deployer_{database}"
    owner.run(f"CREATE ROLE {role} LOGIN; GRANT USAGE ON SCHEMA hugo, platform TO {role}")
    owner.run(f"GRANT CREATE ON SCHEMA hugo, platform TO {role}")
    for table in ("jobs", "_companion_ledger", "platform._companion_ledger"):
        owner.run(f"ALTER TABLE {table} OWNER TO {role}")
    url = make_conninfo(elsewhere, user=role)
    try:
        for work in (schedule.list_jobs, schedule.sync):
            with pytest.raises(DatabaseError, match="permission denied for schema cron") as caught:
                work(Target(url), cron_database=CRON_DATABASE)
        assert f"in database {CRON_DATABASE}: GRANT USAGE ON SCHEMA cron TO" in str(caught.value.hint)
        cron.run(f"GRANT USAGE ON SCHEMA cron TO {role}")
        with pytest.raises(DatabaseError, match="permission denied for function schedule_in_database") as caught:
            schedule.sync(Target(url), cron_database=CRON_DATABASE)
        assert "GRANT EXECUTE ON FUNCTION cron.schedule_in_database" in str(caught.value.hint)
        cron.run(str(caught.value.hint).split(": ", 1)[1])
        assert set(schedule.sync(Target(url), cron_database=CRON_DATABASE).values()) == {"scheduled"}
    finally:
        cron.run(f"DROP OWNED BY {role}")
        owner.run(f"REASSIGN OWNED BY {role} TO CURRENT_USER; DROP OWNED BY {role}; DROP ROLE {role}")


def test_jobs_of_a_stranger_are_not_scheduled_as_ours(cron_database: str, cron: Person) -> None:
    apply(Target(cron_database, ["hugo"]))
    cron.run("CREATE ROLE stranger; GRANT USAGE, CREATE ON SCHEMA hugo TO stranger")
    try:
        cron.run("ALTER TABLE jobs DISABLE TRIGGER jobs_schedule; ALTER TABLE jobs OWNER TO stranger")
        cron.run("UPDATE jobs SET command = 'ALTER ROLE stranger SUPERUSER'")
        with pytest.raises(LedgerError, match="the jobs in schema hugo cannot be trusted"):
            schedule.sync(Target(cron_database))
        assert not [row for row in scheduled(cron) if "stranger" in row[2]]
    finally:
        cron.run("REASSIGN OWNED BY stranger TO CURRENT_USER; DROP OWNED BY stranger; DROP ROLE stranger")


# At work

# Of each system a job: what makes it necessary, done to the demo data, and how to see that it was done.
WORK = {
    "hugo:expire-memories": (
        "UPDATE user_memories SET created_at = now() - interval '2 days', expires_at = now() - interval '1 day'",
        "SELECT count(*) = 0 FROM user_memories",
    ),
    "aurum:expire-insights": (
        "UPDATE insights SET expires_at = now() - interval '1 day', is_active = TRUE",
        "SELECT NOT bool_or(is_active) FROM insights",
    ),
    "chatvrm:create-message-partitions": (
        "DO $$ BEGIN EXECUTE format('DROP TABLE messages_%%s', to_char(now() + '3 months', 'YYYY_MM')); END $$",
        "SELECT to_regclass(format('messages_%%s', to_char(now() + '3 months', 'YYYY_MM'))) IS NOT NULL",
    ),
    "othello:expire-inactive-sessions": (
        "INSERT INTO session_logs (user_id, session_token, login_at, last_activity_at)"
        " SELECT id, encode(sha256(email::bytea), 'hex'), now() - interval '40 days', now() - interval '40 days'"
        " FROM users",
        "SELECT NOT bool_or(is_active) FROM session_logs WHERE last_activity_at < now() - interval '30 days'",
    ),
    "thinking_partner:expire-subscriptions": (
        "UPDATE workspaces SET subscription_status = 'pro', subscription_cancelled_at = now() - interval '40 days',"
        " subscription_expires_at = now() - interval '1 day'",
        "SELECT NOT bool_or(subscription_status = 'pro') FROM workspaces",
    ),
}


def prepare(db: Person, job: str, work: str, done: str) -> None:
    """Give a job of an instance something to do, and let it come every minute."""
    db.run(f"SET search_path = {db.schema}, platform, pg_temp; SET session_replication_role = replica")
    db.run(work, {})
    db.run("RESET session_replication_role")
    assert db.value(done, {}) is False
    assert db.run("UPDATE jobs SET schedule = %s WHERE name = %s", [EVERY_MINUTE, job]) == 1


def test_pg_cron_does_the_work_of_each_system_and_its_outcome_is_listed(
    cron_database: str, elsewhere: str, owner: Person, cron: Person
) -> None:
    """All in one wait, of at most a minute: five systems here, one job in another database, one that fails."""
    apply(Target(cron_database))
    seed(Target(cron_database))
    seed(Target(elsewhere, ["hugo"]))
    people = {job: Person(cron.conn, job.split(":")[0]) for job in WORK}
    for job, (work, done) in WORK.items():
        prepare(people[job], job.split(":")[1], work, done)
    prepare(owner, "expire-memories", *WORK["hugo:expire-memories"])
    cron.run("INSERT INTO hugo.jobs VALUES ('broken', %s, 'SELECT 1 / 0', 'Fails')", [EVERY_MINUTE])
    schedule.sync(Target(elsewhere))

    deadline = time.monotonic() + 75
    awaited = {*WORK, "hugo:broken", f"{prefix(elsewhere)}hugo:expire-memories"}
    ended = (
        "SELECT jobname FROM cron.job JOIN cron.job_run_details USING (jobid) WHERE status IN ('succeeded', 'failed')"
    )
    while missing := awaited - {row.jobname for row in cron.rows(ended)}:
        assert time.monotonic() < deadline, f"not run within 75 s: {missing}"
        time.sleep(0.5)

    for job, (_, done) in WORK.items():
        assert Person(cron.conn, job.split(":")[0]).value(done, {}) is True, job
    assert owner.value(WORK["hugo:expire-memories"][1]) is True
    now = datetime.now(timezone.utc)
    for found in (schedule.list_jobs(Target(cron_database), now=now), schedule.list_jobs(Target(elsewhere), now=now)):
        by_name = {one.job.name: one for one in found}
        for name in WORK.keys() & by_name.keys():
            last = by_name[name].last
            assert last is not None and last.outcome == "succeeded", name
            assert now - timedelta(minutes=2) < last.started_at < now < (by_name[name].next_run or now)
        if "hugo:broken" in by_name:
            failed = by_name["hugo:broken"].last
            assert failed is not None and failed.outcome == "failed"
            assert "division by zero" in (failed.message or "")
    # Run by hand as well, the later run is the one that counts.
    runs.run(Target(elsewhere), "expire-memories")
    (listed,) = [one for one in schedule.list_jobs(Target(elsewhere)) if one.job.job == "expire-memories"]
    assert listed.last is not None and listed.last.message == "SELECT 1"
