"""Jobs where there is no pg_cron: listed, run by crontab, one at a time, with a record. With it: tests/debian."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from runner.errors import CompanionError, DatabaseError, JobError, JobRunningError, LedgerError, SqlError, UsageError
from runner.history.instances import Target
from runner.jobs import crontab, runs, schedule
from runner.migrate.apply import apply
from tests.people import Person
from tests.runner.command import ROOT, changing, run, start

NOW = datetime(2026, 11, 22, 1, 30, tzinfo=timezone.utc)


# Where the server has one, it is asked: tests/debian/test_pg_cron.py.
without_pg_cron = pytest.mark.skipif("COMPANION_TEST_DEBIAN" in os.environ, reason="this server has pg_cron")


@pytest.fixture
def schema() -> str:
    return "hugo"


@pytest.fixture
def url(installed: str) -> str:
    return installed


def declare(owner: Person, command: str, name: str = "mine", schedule: str = "0 5 * * *") -> None:
    """Add a job of the DBA's own."""
    owner.run("INSERT INTO jobs VALUES (%s, %s, %s, 'Mine')", [name, schedule, command])


def record(owner: Person, name: str = "mine") -> list[tuple[Any, ...]]:
    """Return what is recorded of a job's runs, the first one first."""
    return [
        tuple(row)
        for row in owner.rows(
            "SELECT outcome, message, finished_at IS NOT NULL FROM job_runs WHERE job = %s ORDER BY id", [name]
        )
    ]


@without_pg_cron
def test_the_list_tells_when_each_job_comes_next_and_how_it_went_last(url: str, owner: Person) -> None:
    declare(owner, "SELECT 1 / 0")
    with pytest.raises(JobError):
        runs.run(Target(url), "mine")
    done = runs.run(Target(url), "hugo:expire-memories")[1]
    found = {one.job.job: one for one in schedule.list_jobs(Target(url), now=NOW)}
    assert {(one.by, one.state, one.in_step) for one in found.values()} == {("crontab", "scheduled", True)}
    assert {name: one.next_run for name, one in found.items()} == {
        "archive-conversations": datetime(2026, 11, 22, 2, tzinfo=timezone.utc),
        "close-inactive-conversations": datetime(2026, 11, 23, 1, tzinfo=timezone.utc),
        "decay-memories": datetime(2026, 12, 1, 4, tzinfo=timezone.utc),
        "expire-memories": datetime(2026, 11, 22, 3, tzinfo=timezone.utc),
        "mine": datetime(2026, 11, 22, 5, tzinfo=timezone.utc),
    }
    assert found["expire-memories"].last == done
    failed = found["mine"].last
    assert failed and (failed.outcome, failed.message) == ("failed", "division by zero (SQLSTATE 22012)")
    assert found["decay-memories"].last is None


def test_the_list_can_be_narrowed(url: str) -> None:
    apply(Target(url, ["hugo"], "hugo_acme"))
    apply(Target(url, ["thinking_partner"]), to="0014")
    names = {one.job.instance.schema: one.job.instance.system for one in schedule.list_jobs(Target(url))}
    assert names == {"hugo": "hugo", "hugo_acme": "hugo"}
    assert {one.job.instance.schema for one in schedule.list_jobs(Target(url, schema="hugo_acme"))} == {"hugo_acme"}
    assert schedule.list_jobs(Target(url, ["thinking_partner"])) == []
    for narrowed in ({"systems": ["othello"]}, {"schema": "elsewhere"}):
        with pytest.raises(UsageError):
            schedule.list_jobs(Target(url, **narrowed))


@without_pg_cron
def test_the_list_as_a_person_and_a_program_see_it(url: str, owner: Person) -> None:
    declare(owner, "SELECT 1 / 0")
    assert run("jobs", "run", "mine")[0] == 1
    code, out, err = run("jobs", "list", tree=ROOT / "sql")
    heading, *lines = out.splitlines()
    assert (code, err) == (0, "")
    assert heading.split("  ")[0] == "job"
    assert [line.split()[0] for line in lines[:5]] == [
        "hugo:archive-conversations", "hugo:close-inactive-conversations", "hugo:decay-memories",
        "hugo:expire-memories", "hugo:mine",
    ]  # fmt: skip
    assert lines[5:] == [
        "hugo:mine failed: division by zero (SQLSTATE 22012)",
        "note: there is no pg_cron; jobs run where a crontab has the lines of `companion jobs crontab`",
    ]
    code, out, err = run("jobs", "list", "--json")
    (mine,) = [one for one in json.loads(out)["jobs"] if one["name"] == "hugo:mine"]
    assert (code, err, mine["outcome"], mine["by"], mine["state"]) == (0, "", "failed", "crontab", "scheduled")
    assert mine["next_run"].endswith("05:00:00+00:00")


def test_a_run_does_the_work_and_says_what_it_did(url: str, owner: Person) -> None:
    owner.run("CREATE TABLE public.done (n integer)")
    declare(owner, "INSERT INTO public.done VALUES (1), (2)")
    declare(owner, "SET search_path = pg_temp; SET ROLE anon; SELECT 42", "value")
    code, out, err = changing("jobs", "run", "hugo:mine")
    assert (code, err) == (0, "")
    assert out.startswith("hugo:mine succeeded (") and out.endswith("): INSERT 0 2\n")
    assert owner.value("SELECT count(*) FROM public.done") == 2
    code, out, _ = run("jobs", "run", "value", "--json")
    told = json.loads(out)
    assert (code, told["name"], told["outcome"], told["message"]) == (0, "hugo:value", "succeeded", "42")
    assert record(owner) == [("succeeded", "INSERT 0 2", True)]
    assert record(owner, "value") == [("succeeded", "42", True)]


def test_a_failure_is_told_recorded_and_undone(url: str, owner: Person) -> None:
    owner.run("CREATE TABLE public.done (n integer CONSTRAINT small CHECK (n < 3))")
    declare(owner, "INSERT INTO public.done VALUES (1); INSERT INTO public.done VALUES (3)")
    code, out, err = run("jobs", "run", "mine")
    assert (code, out) == (1, "")
    assert 'hugo:mine failed: new row for relation "done" violates check constraint "small" (SQLSTATE 23514)' in err
    assert "Failing row contains (3)." in err
    assert owner.value("SELECT count(*) FROM public.done") == 0
    ((outcome, message, finished),) = record(owner)
    assert (outcome, finished) == ("failed", True) and "23514" in message
    code, out, _ = run("jobs", "run", "mine", "--json")
    assert (code, json.loads(out)["error"]["type"]) == (1, "JobError")


def test_a_session_that_is_ended_from_outside_is_a_failure(url: str, owner: Person) -> None:
    declare(owner, "SELECT pg_terminate_backend(pg_backend_pid())")
    with pytest.raises(JobError, match="57P01"):
        runs.run(Target(url), "mine")
    ((outcome, message, _),) = record(owner)
    assert outcome == "failed" and message.endswith("(SQLSTATE 57P01)")


@pytest.fixture
def endless(owner: Person) -> Callable[[], subprocess.Popen[str]]:
    """Return a function that starts a job which ends only from outside, and waits until it runs."""
    declare(owner, "SELECT pg_sleep(600) /* endless */")

    def begin() -> subprocess.Popen[str]:
        process = start("jobs", "run", "mine")
        while not pids(owner):
            assert process.poll() is None, process.communicate()
        return process

    return begin


def pids(owner: Person) -> list[int]:
    """Return which sessions run the endless job in this database."""
    rows = owner.rows(
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        " AND state = 'active' AND query ~ '/. endless ./'"
    )
    return [row.pid for row in rows]


def last_outcome(url: str) -> str | None:
    (mine,) = [one for one in schedule.list_jobs(Target(url)) if one.job.job == "mine"]
    return mine.last.outcome if mine.last else None


def test_a_job_runs_once_at_a_time(url: str, owner: Person, endless: Callable[[], subprocess.Popen[str]]) -> None:
    first = endless()
    assert last_outcome(url) == "running"
    with pytest.raises(JobRunningError, match="hugo:mine is running already"):
        runs.run(Target(url), "mine")
    code, out, err = changing("jobs", "run", "mine")
    assert (code, out, err) == (3, "", "error: hugo:mine is running already; nothing was done\n")
    # Another job, and the job of the same name elsewhere, are not in its way.
    assert runs.run(Target(url), "expire-memories")[1].outcome == "succeeded"
    assert record(owner) == [(None, None, False)]
    owner.run("SELECT pg_cancel_backend(%s)", pids(owner))
    _, err = first.communicate(timeout=60)
    assert first.returncode == 1 and "57014" in err
    assert [outcome for outcome, *_ in record(owner)] == ["failed"]
    owner.run("UPDATE jobs SET command = 'SELECT 1' WHERE name = 'mine'")
    assert runs.run(Target(url), "mine")[1].outcome == "succeeded"


def test_what_a_killed_runner_left_is_interrupted(
    url: str, owner: Person, endless: Callable[[], subprocess.Popen[str]]
) -> None:
    first = endless()
    first.kill()
    first.communicate()
    # The server notices that the client is gone only when it has something to say.
    owner.run("SELECT pg_terminate_backend(%s, 10000)", pids(owner))
    while last_outcome(url) == "running":
        assert record(owner) == [(None, None, False)]
    assert last_outcome(url) == "interrupted"
    owner.run("UPDATE jobs SET command = 'SELECT 1' WHERE name = 'mine'")
    assert runs.run(Target(url), "mine")[1].outcome == "succeeded"
    assert record(owner) == [("interrupted", None, True), ("succeeded", "1", True)]


def test_a_run_that_is_interrupted_says_so(
    url: str, owner: Person, endless: Callable[[], subprocess.Popen[str]]
) -> None:
    first = endless()
    first.send_signal(2)
    first.communicate(timeout=60)
    assert first.returncode == 130
    assert record(owner) == [("interrupted", None, True)]
    assert pids(owner) == []


def test_old_runs_of_a_job_are_forgotten(url: str, owner: Person) -> None:
    owner.run(
        "INSERT INTO job_runs (job, started_at, finished_at, outcome, message)"
        " SELECT j.job, now() - j.age, now(), 'succeeded', j.age::text FROM (VALUES"
        " ('mine', interval '91 days'), ('mine', '89 days'), ('other', '91 days')) AS j (job, age)"
    )
    declare(owner, "SELECT 1")
    runs.run(Target(url), "mine")
    assert [message for _, message, _ in record(owner)] == ["89 days", "1"]
    assert [message for _, message, _ in record(owner, "other")] == ["91 days"]


@pytest.mark.parametrize(
    ("name", "message"),
    [("no-such-job", "there is no job 'no-such-job'"), ("hugo_acme:no", "there is no job"), ("", "there is no job")],
)
def test_an_unknown_job_is_refused(url: str, name: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        runs.run(Target(url), name)


def test_a_name_that_several_instances_have_must_be_qualified(url: str) -> None:
    apply(Target(url, ["hugo"], "hugo_acme"))
    with pytest.raises(UsageError, match="several schemas: hugo:decay-memories, hugo_acme:decay-memories"):
        runs.run(Target(url), "decay-memories")
    assert runs.run(Target(url), "hugo_acme:decay-memories")[0].instance.schema == "hugo_acme"
    assert runs.run(Target(url, schema="hugo"), "decay-memories")[0].instance.schema == "hugo"


def test_an_instance_without_the_record_is_told_to_go_on(empty_database: str) -> None:
    apply(Target(empty_database, ["hugo"]), to="0066")
    assert [one.last for one in schedule.list_jobs(Target(empty_database))] == [None] * 4
    with pytest.raises(CompanionError, match="no table job_runs yet") as caught:
        runs.run(Target(empty_database), "decay-memories")
    assert caught.value.hint == "run `companion apply hugo` first"


def test_a_file_with_a_bad_schedule_is_refused_when_it_is_applied(empty_database: str, tmp_path: Path) -> None:
    tree = shutil.copytree(ROOT / "sql", tmp_path / "sql")
    (file,) = (tree / "jobs" / "hugo").glob("*_expire_memories.sql")
    file.write_text(file.read_text().replace("'0 3 * * *'", "'0 25 * * *'"))
    with pytest.raises(SqlError, match="jobs_schedule_check") as caught:
        apply(Target(empty_database, ["hugo"]), sql_root=tree)
    assert caught.value.path == file
    assert {one.job.job for one in schedule.list_jobs(Target(empty_database))} == {
        "archive-conversations", "close-inactive-conversations"
    }  # fmt: skip


# Whose jobs

DISTRUST = {
    "another owner": ("ALTER TABLE jobs OWNER TO {role}", "hugo.jobs belongs to {role}, not to postgres"),
    "somebody who may write": ("GRANT UPDATE (command) ON jobs TO {role}", "{role} may write to hugo.jobs"),
    "a rule": (
        "CREATE RULE also AS ON DELETE TO jobs DO ALSO SELECT 1",
        "hugo.jobs has lost row security, or has gained triggers or policies",
    ),
}


@pytest.mark.parametrize("made", DISTRUST)
def test_a_job_that_others_may_have_written_is_not_run(url: str, owner: Person, made: str) -> None:
    """Its command would run with the rights of whoever runs it."""
    role = f"stranger_{owner.value('SELECT current_database()')}"
    statement, problem = (part.format(role=role) for part in DISTRUST[made])
    declare(owner, "CREATE TABLE public.done ()")
    owner.run(f"CREATE ROLE {role}; GRANT USAGE, CREATE ON SCHEMA hugo TO {role}")
    try:
        owner.run(statement)
        with pytest.raises(LedgerError, match="the jobs in schema hugo cannot be trusted") as caught:
            runs.run(Target(url), "mine")
        assert caught.value.detail == [problem]
        assert owner.value("SELECT to_regclass('public.done')") is None
        assert record(owner) == []
        assert len(schedule.list_jobs(Target(url))) == 5
    finally:
        owner.run(f"REASSIGN OWNED BY {role} TO CURRENT_USER; DROP OWNED BY {role}; DROP ROLE {role}")


TRAPS = {
    "a view": (
        "ALTER TABLE {table} RENAME TO other;"
        " CREATE VIEW {table} AS SELECT o.*, public.trap() FROM hugo.other AS o; ALTER VIEW {table} OWNER TO {role}"
    ),
    "a policy": (
        "ALTER TABLE {table} OWNER TO {role}; CREATE POLICY trap ON {table} USING (public.trap() IS NULL);"
        " GRANT ALL ON {table} TO PUBLIC"
    ),
}


@pytest.mark.parametrize("kind", TRAPS)
@pytest.mark.parametrize("table", ["hugo.jobs", "hugo.job_runs", "hugo._companion_ledger"])
def test_looking_runs_no_code_of_a_stranger(url: str, owner: Person, table: str, kind: str) -> None:
    database = owner.value("SELECT current_database()")
    role, dba = f"stranger_{database}", f"dba_{database}"
    owner.run(f"CREATE ROLE {role}; CREATE ROLE {dba} LOGIN; GRANT {dba} TO CURRENT_USER")
    try:
        owner.run(f"GRANT USAGE, CREATE ON SCHEMA hugo, platform, public TO {role}, {dba}")
        for name in ("hugo.jobs", "hugo.job_runs", "hugo._companion_ledger", "platform._companion_ledger"):
            owner.run(f"ALTER TABLE {name} OWNER TO {dba}")
        owner.run(
            "CREATE TABLE public.trapped (who text); GRANT INSERT ON public.trapped TO PUBLIC;"
            "CREATE FUNCTION public.trap() RETURNS text LANGUAGE sql AS"
            " 'INSERT INTO public.trapped VALUES (current_user) RETURNING NULL'"
        )
        # A policy is asked for each row.
        owner.run("INSERT INTO job_runs (job) VALUES ('expire-memories')")
        owner.run(TRAPS[kind].format(table=table, role=role))
        assert owner.value("SELECT count(*) FROM public.trapped") == 0
        listed = schedule.list_jobs(Target(make_conninfo(url, user=dba)))
        assert owner.value("SELECT count(*) FROM public.trapped") == 0
        assert len(listed) == (4 if table == "hugo.job_runs" else 0)
    finally:
        owner.run(f"DROP OWNED BY {role} CASCADE; DROP ROLE {role}")
        owner.run(f"REASSIGN OWNED BY {dba} TO CURRENT_USER; DROP OWNED BY {dba}; DROP ROLE {dba}")


# Crontab


def test_cron_runs_the_lines_of_the_crontab(url: str, owner: Person, tmp_path: Path) -> None:
    """A line is taken apart as cron does it: five fields, then a command for sh, in which \\% is %."""
    code, out, err = run("jobs", "crontab")
    assert (code, err) == (0, "")
    comments = [line for line in out.splitlines() if line.startswith("#")]
    zone, *lines = [line for line in out.splitlines() if not line.startswith("#")]
    assert (len(comments), zone, len(lines)) == (1, "CRON_TZ=UTC", 4)
    (line,) = [line for line in lines if "expire-memories" in line]
    *schedule, command = line.split(" ", 5)
    assert schedule == ["0", "3", "*", "*", "*"]
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        ["/bin/sh", "-c", command.replace("\\%", "%")], cwd=tmp_path, env=environment, text=True, capture_output=True
    )
    # Cron sends what is printed by mail: only failures are.
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert [outcome for outcome, *_ in record(owner, "expire-memories")] == ["succeeded"]


def test_no_line_of_the_crontab_holds_a_password(url: str) -> None:
    lines = crontab.crontab(Target(make_conninfo(url, password="s3cret%")))
    assert not any("s3cret" in line for line in lines)
    assert any("~/.pgpass" in line for line in lines if line.startswith("#"))


def test_a_line_holds_the_address_as_it_was_given_and_what_variables_add(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = conninfo_to_dict(url)
    for variable, name in (("PGHOST", "host"), ("PGPORT", "port"), ("PGUSER", "user")):
        monkeypatch.setenv(variable, str(place[name]))
    monkeypatch.setenv("PGPASSWORD", "s3cret")
    lines = crontab.crontab(Target(f"dbname={place['dbname']}"))
    (line,) = [line for line in lines if "expire-memories" in line]
    address = conninfo_to_dict(re.findall(r"--database '(.*)' >", line)[0])
    assert address == {key: str(place[key]) for key in ("host", "port", "user", "dbname")}
    assert "s3cret" not in "".join(lines) and ".pgpass" in lines[1]


def test_a_percent_sign_does_not_end_the_command(url: str, owner: Person) -> None:
    declare(owner, "SELECT 1", "100% 'mine'")
    (line,) = [line for line in crontab.crontab(Target(url)) if "mine" in line]
    assert "100\\%" in line and "%" not in line.replace("\\%", "")
    owner.run("DELETE FROM jobs WHERE name <> '100%% ''mine'''", {})
    assert len(crontab.crontab(Target(url))) == 3


# pg_cron


@without_pg_cron
def test_without_pg_cron_sync_says_what_to_do_instead(url: str) -> None:
    with pytest.raises(DatabaseError, match="there is no pg_cron in this database") as caught:
        schedule.sync(Target(url))
    assert "companion jobs crontab" in str(caught.value.hint)


def test_a_database_that_has_no_pg_cron_is_not_taken_for_one(url: str, own_database: str) -> None:
    with pytest.raises(DatabaseError, match="there is no pg_cron in database template1"):
        schedule.list_jobs(Target(url), cron_database="template1")
    with pytest.raises(DatabaseError, match="cannot connect"):
        schedule.list_jobs(Target(url), cron_database="no_such_database")


@without_pg_cron
def test_nothing_is_out_of_step_where_there_is_no_pg_cron(url: str) -> None:
    assert not schedule.out_of_step(url)
