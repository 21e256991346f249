"""Comparing a database with its recorded files: nothing is found where nothing was done, and by object what was."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from pytest_postgresql.executors import NoopExecutor

from runner.contract import verify
from runner.errors import LedgerError, UsageError
from runner.history.instances import Target
from runner.migrate.rollback import rollback
from runner.postgres import embedded
from tests.databases import INSTANCES, cloned
from tests.people import Person
from tests.runner.command import run
from tests.servers import make_folder


@pytest.fixture(scope="module", autouse=True)
def scratch_server() -> Iterator[None]:
    """An embedded server of these tests' own, for the scratch databases."""
    folder = make_folder("verify")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COMPANION_HOME", str(folder))
        yield
        embedded.stop()


@pytest.fixture
def schema() -> str:
    return "chatvrm"


@pytest.fixture
def url(installed: str) -> str:
    return installed


def test_nothing_is_found_where_nothing_was_done(shared_database: str) -> None:
    """In any instance, one in public included."""
    found = verify.verify(Target(shared_database))
    assert {one.instance.schema for one in found} == {
        "platform",
        *(name for names in INSTANCES.values() for name in names),
    }
    assert {str(one.instance): one.differences for one in found if one.differences} == {}


# What is done to a database by hand, and how the line about it begins. One object for each, so that they do not meet.
DRIFT = [
    (
        "DROP TABLE voice_configs CASCADE",
        "table voice_configs: missing",
    ),
    (
        "CREATE TABLE mine (id integer)",
        "table mine: not made by the files",
    ),
    (
        "ALTER TABLE job_runs DROP COLUMN message",
        "table job_runs: column message: missing (text)",
    ),
    (
        "ALTER TABLE job_runs ADD mine text",
        "table job_runs: column mine: not made by the files (text)",
    ),
    (
        "ALTER TABLE job_runs ALTER job TYPE varchar(9)",
        "table job_runs: column job: type is character varying(9), the files make it text",
    ),
    (
        "ALTER TABLE job_runs ALTER job DROP NOT NULL",
        "table job_runs: column job: null is yes, the files make it no",
    ),
    (
        "ALTER TABLE job_runs ALTER started_at DROP DEFAULT",
        "table job_runs: column started_at: default is not set, the files",
    ),
    (
        "ALTER TABLE job_runs ALTER id SET GENERATED ALWAYS",
        "table job_runs: column id: identity is always, the files make it by default",
    ),
    (
        "COMMENT ON COLUMN job_runs.finished_at IS NULL",
        "table job_runs: column finished_at: comment is not set, the files make it Null while",
    ),
    (
        "COMMENT ON TABLE job_runs IS 'Mine'",
        "table job_runs: comment is Mine, the files make it Runs of jobs",
    ),
    (
        "ALTER TABLE job_runs DROP CONSTRAINT job_runs_finished_check",
        "table job_runs: constraint job_runs_finished_check: missing (CHECK",
    ),
    (
        "ALTER TABLE job_runs ADD CONSTRAINT mine CHECK (id > 0) NOT VALID",
        "table job_runs: constraint mine: not made by the files (CHECK",
    ),
    (
        "ALTER TABLE jobs DROP CONSTRAINT jobs_schedule_check, ADD CONSTRAINT jobs_schedule_check CHECK "
        "(platform.is_cron_schedule(schedule)) NOT VALID",
        "table jobs: constraint jobs_schedule_check: validated is no, the files",
    ),
    (
        "DROP INDEX job_runs_running_key",
        "table job_runs: index job_runs_running_key: missing (CREATE UNIQUE INDEX",
    ),
    (
        "UPDATE pg_index SET indisvalid = FALSE WHERE indexrelid = 'job_runs_job_started_at_idx'::regclass",
        "table job_runs: index job_runs_job_started_at_idx: valid is no, the files make it not set",
    ),
    (
        "ALTER TABLE users DISABLE TRIGGER users_authority",
        "table users: trigger users_authority: enabled is no, the files",
    ),
    (
        "DROP TRIGGER users_updated_at ON users",
        "table users: trigger users_updated_at: missing (CREATE TRIGGER",
    ),
    (
        "ALTER FUNCTION archive_old_conversations(interval) SECURITY DEFINER",
        "function archive_old_conversations(p_older_than interval): security is definer",
    ),
    (
        "ALTER FUNCTION create_message_partitions(integer) STABLE",
        "function create_message_partitions(p_months_ahead integer): volatility is stable",
    ),
    (
        "ALTER FUNCTION refresh_message_counts() RESET search_path",
        "function refresh_message_counts(): settings is not set, the files make it search_path=",
    ),
    (
        "CREATE OR REPLACE FUNCTION refresh_character_counters() RETURNS integer LANGUAGE sql BEGIN ATOMIC "
        "SELECT 1; END",
        "function refresh_character_counters(): body differs (- the files, + the database)\n    @@",
    ),
    (
        "DROP POLICY characters_owner_policy ON characters",
        "table characters: policy characters_owner_policy: missing (ALL)",
    ),
    (
        "ALTER POLICY characters_service_all ON characters USING (FALSE)",
        "table characters: policy characters_service_all: using is false, the files make it true",
    ),
    (
        "ALTER POLICY users_service_all ON users TO anon",
        "table users: policy users_service_all: roles is anon, the files make it service_role",
    ),
    (
        "GRANT SELECT ON characters TO anon",
        "table characters: grants to anon: not made by the files (SELECT)",
    ),
    (
        "REVOKE UPDATE ON characters FROM service_role",
        "table characters: grants to service_role: privileges is INSERT, SELECT, the files",
    ),
    (
        "GRANT UPDATE (name) ON vrm_models TO anon",
        "table vrm_models: grants on column name: not made by the files",
    ),
    (
        "GRANT EXECUTE ON FUNCTION refresh_character_stats() TO PUBLIC",
        "function refresh_character_stats(): grants to PUBLIC: not made by the files (EXECUTE)",
    ),
    (
        "GRANT CREATE ON SCHEMA chatvrm TO service_role",
        "schema: grants to service_role: privileges is CREATE, USAGE, the files make it USAGE",
    ),
    (
        "ALTER TABLE vrm_models DISABLE ROW LEVEL SECURITY",
        "table vrm_models: row_security is no, the files make it yes",
    ),
    (
        "ALTER TABLE vrm_models FORCE ROW LEVEL SECURITY",
        "table vrm_models: forced is yes, the files make it not set",
    ),
    (
        "ALTER TABLE messages_default DISABLE ROW LEVEL SECURITY",
        "table messages_default: row_security is no, the files",
    ),
    (
        "CREATE OR REPLACE VIEW published_models AS SELECT id, name, category, file_url, preview_url, "
        "polygon_count, file_size_mb, tags FROM vrm_models",
        "view published_models: definition differs",
    ),
    (
        "UPDATE jobs SET schedule = '1 2 3 4 5' WHERE name = 'refresh-character-stats'",
        "job refresh-character-stats: schedule is 1 2 3 4 5, the files make it 40 0 * * *",
    ),
    (
        "INSERT INTO jobs VALUES ('mine', '* * * * *', 'SELECT 1', 'Mine')",
        "job mine: not made by the files",
    ),
    (
        "ALTER DEFAULT PRIVILEGES IN SCHEMA chatvrm GRANT SELECT ON TABLES TO anon",
        "default privileges: not made by the files",
    ),
    (
        "CREATE RULE mine AS ON DELETE TO audio_files DO ALSO SELECT 1",
        "table audio_files: rule mine: not made by the files (CREATE RULE",
    ),
]
# What else these statements do.
CONSEQUENCES = (
    "function refresh_character_counters(): ",
    "table jobs: constraint jobs_schedule_check: definition is",
    "view published_models: options is not set",
    "view published_voices: missing",
)


def test_every_kind_of_drift_is_named(url: str, owner: Person) -> None:
    for statement, _ in DRIFT:
        owner.run(statement, {})
    (_, found) = verify.verify(Target(url))
    for statement, line in DRIFT:
        assert [one for one in found.differences if one.startswith(line)] != [], statement
    known = (*(line for _, line in DRIFT), *CONSEQUENCES)
    assert [one for one in found.differences if not one.startswith(known)] == []


# Of another system, which has types and sequences.
OTHELLO_DRIFT = [
    (
        "ALTER TYPE consent_action ADD VALUE 'mine'",
        "type consent_action: labels is approved, denied, deferred, tier_changed,",
    ),
    (
        "COMMENT ON TYPE validation_result IS 'Mine'",
        "type validation_result: comment is Mine, the files make it",
    ),
    (
        "ALTER SEQUENCE messages_id_seq INCREMENT 2",
        "sequence messages_id_seq: sequence: increment is 2, the files make it 1",
    ),
    (
        "GRANT USAGE ON SEQUENCE messages_id_seq TO anon",
        "sequence messages_id_seq: grants to anon: not made by the files",
    ),
    (
        "REVOKE UPDATE ON timezones FROM CURRENT_USER",
        "table timezones: grants to owner: not made by the files (not UPDATE)",
    ),
]


def test_types_and_sequences_are_compared(template_of: Callable[[str], str], bare: NoopExecutor) -> None:
    with cloned(bare, "drift", template_of("othello")) as url, psycopg.connect(url, autocommit=True) as conn:
        owner = Person(conn, "othello")
        for statement, _ in OTHELLO_DRIFT:
            owner.run(statement)
        found = verify.verify(Target(url, ["othello"]))[0].differences
    assert len(found) == len(OTHELLO_DRIFT)
    for statement, line in OTHELLO_DRIFT:
        assert [one for one in found if one.startswith(line)] != [], statement


@pytest.mark.parametrize("schema", ["hugo_acme"])
def test_prepared_statements_are_compared(url: str, owner: Person) -> None:
    """Without calling the live function: what it would prepare is found in the scratch database."""
    made = owner.value("SELECT pg_get_functiondef('prepare_statements()'::regprocedure)")
    assert "get_chat_context($1, $2)" in made
    drifted = (
        made.replace("get_chat_context($1, $2)", "get_chat_context($1, NULL)")
        .replace("(text, text, int)", "(text, text, bigint)")
        .replace("$3)', current_schema()", "$3::int)', current_schema()")
        .replace("END;\n$", "PREPARE mine AS SELECT 1;\nEND;\n$")
    )
    owner.run(drifted)
    (found,) = (one.differences for one in verify.verify(Target(url, ["hugo"])))
    called = "SELECT * FROM <schema>.search_knowledge($1, $2, $3"
    assert [line for line in found if "prepared statement" in line] == [
        "prepared statement get_chat_context: statement is SELECT * FROM <schema>.get_chat_context($1, NULL),"
        " the files make it SELECT * FROM <schema>.get_chat_context($1, $2)",
        "prepared statement mine: not made by the files",
        "prepared statement search_knowledge: parameters is text, text, bigint, the files make it text, text, integer",
        f"prepared statement search_knowledge: statement is {called}::int), the files make it {called})",
    ]
    # One that would write gets no further.
    owner.run(made.replace("BEGIN", "BEGIN\nCREATE TABLE seen (); PREPARE mine AS SELECT 1;", 1))
    (found,) = (one.differences for one in verify.verify(Target(url, ["hugo"])))
    assert {line for line in found if "prepared statement" in line} == {
        "prepared statement get_chat_context: missing", "prepared statement search_knowledge: missing"
    }  # fmt: skip
    assert owner.value("SELECT to_regclass('seen')") is None


def test_months_that_came_later_are_no_drift_but_how_they_are_made_is(url: str, owner: Person) -> None:
    owner.run("SELECT create_message_partition('2331-01-01')")
    owner.run("ALTER TABLE messages DETACH PARTITION messages_2331_01; DROP TABLE messages_2331_01")
    owner.run("SELECT create_message_partition('2332-01-01')")
    assert verify.verify(Target(url, ["chatvrm"]))[0].differences == []
    owner.run("GRANT SELECT ON messages_2332_01 TO anon")
    (line,) = verify.verify(Target(url, ["chatvrm"]))[0].differences
    assert line.startswith("table messages_2332_01: ")


def test_in_a_schema_of_others_what_is_theirs_is_no_drift(
    template_of: Callable[[str], str], bare: NoopExecutor
) -> None:
    with cloned(bare, "drift", template_of("public")) as url, psycopg.connect(url, autocommit=True) as conn:
        owner = Person(conn, "public")
        owner.run("CREATE TABLE invoices (id integer); GRANT CREATE ON SCHEMA public TO pg_monitor")
        owner.run("ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO anon")
        assert [one.differences for one in verify.verify(Target(url))] == [[], []]
        owner.run("CREATE INDEX mine ON messages (role)")
        (line,) = verify.verify(Target(url, ["hugo"]))[0].differences
    assert line.startswith("table messages: index mine: not made by the files (CREATE INDEX")


def test_it_compares_with_what_is_recorded_however_far_that_is(url: str) -> None:
    rollback(Target(url, ["chatvrm"]), to="0050", discard_data=True)
    assert [one.differences for one in verify.verify(Target(url))] == [[], []]
    rollback(Target(url, ["chatvrm"]), everything=True, discard_data=True)
    assert [str(one.instance) for one in verify.verify(Target(url))] == ["platform"]


def test_the_command_says_it_and_exits_with_3(url: str, owner: Person) -> None:
    code, out, _ = run("verify")
    assert (code, out) == (0, "platform: as the files make it\nchatvrm: as the files make it\n")
    owner.run("DROP INDEX job_runs_running_key")
    code, out, _ = run("verify", "chatvrm")
    first, second = out.splitlines()
    assert (code, first) == (3, "chatvrm: 1 difference")
    assert second.startswith("  table job_runs: index job_runs_running_key: missing")
    code, out, _ = run("verify", "--json")
    assert code == 3
    assert [(one["schema"], len(one["differences"])) for one in json.loads(out)["systems"]] == [
        ("platform", 0), ("chatvrm", 1)
    ]  # fmt: skip


def test_it_leaves_no_scratch_database(url: str) -> None:
    verify.verify(Target(url))
    left = "SELECT datname FROM pg_database WHERE datname ~ '^companion_scratch'"
    with psycopg.connect(embedded.require_url()) as conn:
        assert conn.execute(left).fetchall() == []


def test_what_others_may_have_recorded_is_not_run(url: str, owner: Person) -> None:
    owner.run("UPDATE _companion_ledger SET apply_text = apply_text || ' SELECT 1;' WHERE position = 5")
    with pytest.raises(LedgerError, match="cannot be trusted"):
        verify.verify(Target(url))


@pytest.mark.parametrize("narrowed", [{"systems": ["hugo"]}, {"schema": "elsewhere"}])
def test_what_is_not_there_is_refused(url: str, narrowed: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        verify.verify(Target(url, **narrowed))
