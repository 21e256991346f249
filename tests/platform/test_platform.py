"""The shared layer: validators, who is calling, and the trigger functions on a table of their own."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from datetime import datetime, timedelta, timezone
from typing import Any
from uuid import uuid4

import pytest
from cronsim import CronSim

from tests.cron import with_pg_cron
from tests.people import Person
from tests.platform.validators import VALIDATORS

# fmt: on
NULL_IS_FALSE = {"is_jsonb_text_array", "is_jsonb_unit_object"}

CASES = [
    (name, kind, value, verdict)
    for name, (kind, good, bad) in VALIDATORS.items()
    for verdict, values in ((True, good), (False, bad))
    for value in values
]


@pytest.mark.parametrize("schedule", VALIDATORS["is_cron_schedule"][1])
def test_the_runner_can_tell_when_a_schedule_comes_next(schedule: str) -> None:
    """Cronsim is what `companion jobs list` asks; Debian's pg_cron is asked the same in tests/debian."""
    start = datetime(2026, 11, 22, tzinfo=timezone.utc)
    assert start < next(CronSim(schedule, start)) < start + timedelta(days=4 * 366)


@pytest.mark.parametrize(("name", "kind", "value", "verdict"), CASES)
def test_a_validator_tells_good_from_bad(db: Person, name: str, kind: str, value: Any, verdict: bool) -> None:
    assert db.value(f"SELECT {name}(%s::{kind})", [value]) is verdict


@pytest.mark.parametrize("name", VALIDATORS)
def test_a_validator_of_null_is_null_so_that_a_check_lets_it_pass(db: Person, name: str) -> None:
    assert db.value(f"SELECT {name}(NULL)") is (False if name in NULL_IS_FALSE else None)


@pytest.mark.parametrize("name", VALIDATORS)
def test_api_roles_may_call_a_validator_whatever_their_search_path(db: Person, name: str) -> None:
    kind, (value, *_), _ = VALIDATORS[name]
    for acting in (db.as_anon(), db.as_user(uuid4()), db.as_service()):
        with acting:
            db.run("SET LOCAL search_path = pg_catalog")
            assert db.value(f"SELECT platform.{name}(%s::{kind})", [value]) is True


# Who is calling


@pytest.fixture
def scratch(db: Person) -> Person:
    """An empty schema that everybody may look into."""
    db.run("CREATE SCHEMA scratch")
    db.run("GRANT USAGE ON SCHEMA scratch TO anon, authenticated, service_role")
    return db


def acting_as(db: Person, role: str) -> AbstractContextManager[Person]:
    return {
        "owner": lambda: nullcontext(db),
        "anon": db.as_anon,
        "authenticated": lambda: db.as_user(uuid4()),
        "service_role": db.as_service,
    }[role]()


@pytest.mark.parametrize(
    ("role", "service", "maintainer"),
    [
        ("owner", True, True),
        ("service_role", True, False),
        ("authenticated", False, False),
        ("anon", False, False),
    ],
)
def test_a_caller_is_known_also_inside_a_definer_function(
    scratch: Person, role: str, service: bool, maintainer: bool
) -> None:
    scratch.run("CREATE TABLE thing (id int)")
    for name, rights in (("as_caller", "INVOKER"), ("as_owner", "DEFINER")):
        scratch.run(
            f"CREATE FUNCTION {name}(OUT service boolean, OUT maintainer boolean) LANGUAGE plpgsql SECURITY {rights}"
            " SET search_path FROM CURRENT AS"
            " 'BEGIN service := is_service(); maintainer := is_maintainer(''thing''::regclass); END'"
        )
    with acting_as(scratch, role):
        assert scratch.value("SELECT is_service()") is service
        assert scratch.row("SELECT * FROM as_caller()") == (service, maintainer)
        # A definer function acts as the owner of the table, and still knows whom it serves.
        assert scratch.row("SELECT * FROM as_owner()") == (service, True)


def test_a_login_is_no_service_unless_it_inherits_the_role(db: Person) -> None:
    db.run("CREATE ROLE scratch_plain NOINHERIT")
    db.run("CREATE ROLE scratch_heir INHERIT")
    db.run("GRANT service_role, authenticated TO scratch_plain, scratch_heir")
    db.run("GRANT USAGE ON SCHEMA platform TO scratch_plain, scratch_heir")
    db.run("GRANT EXECUTE ON FUNCTION is_service() TO scratch_plain, scratch_heir")
    for login, service in (("scratch_plain", False), ("scratch_heir", True)):
        db.run(f"SET LOCAL SESSION AUTHORIZATION {login}")
        assert db.value("SELECT is_service()") is service
        db.run("SET LOCAL ROLE authenticated")
        assert db.value("SELECT is_service()") is False
        db.run("SET LOCAL ROLE service_role")
        assert db.value("SELECT is_service()") is True
        db.run("RESET SESSION AUTHORIZATION")


def test_nobody_maintains_a_table_that_does_not_exist(db: Person) -> None:
    assert db.value("SELECT is_maintainer(0)") is None


@pytest.mark.parametrize("claims", [None, "", "{}", '{"role": "anon"}', '{"sub": null}', '{"sub": ""}'])
def test_without_a_sub_there_is_no_user(db: Person, claims: str | None) -> None:
    if claims is not None:
        db.run("SELECT set_config('request.jwt.claims', %s, true)", [claims])
    assert db.value("SELECT auth.uid()") is None


@pytest.mark.parametrize("claims", [None, "", "{}", '{"sub": "x"}', '{"role": null}'])
def test_without_a_role_claim_there_is_no_role(db: Person, claims: str | None) -> None:
    if claims is not None:
        db.run("SELECT set_config('request.jwt.claims', %s, true)", [claims])
    assert db.value("SELECT auth.role()") is None


def test_the_claims_say_who_is_calling(db: Person) -> None:
    user = uuid4()
    for acting, role in (
        (db.as_user(user), "authenticated"),
        (db.as_anon(), "anon"),
        (db.as_service(), "service_role"),
    ):
        with acting:
            found = db.row("SELECT auth.uid(), auth.role(), current_user")
        assert found == (user if role == "authenticated" else None, role, role)
    with db.as_user(user):
        assert db.value("SELECT auth.jwt()") == {"sub": str(user), "role": "authenticated"}


@pytest.mark.parametrize("claims", ["{", "no json", '{"sub": "1"}'])
def test_claims_that_make_no_sense_are_an_error(db: Person, claims: str) -> None:
    db.run("SELECT set_config('request.jwt.claims', %s, true)", [claims])
    with db.refused(sqlstate="22P02"):
        db.run("SELECT auth.uid()")


def test_api_roles_have_no_more_rights_than_the_layer_gives(db: Person) -> None:
    for acting in (db.as_anon(), db.as_user(uuid4())):
        with acting:
            for sql in ("SELECT * FROM auth.users", "CREATE TABLE platform.mine ()", "CREATE TABLE auth.mine ()"):
                with db.refused(sqlstate="42501"):
                    db.run(sql)


# Trigger functions


@pytest.fixture
def thing(scratch: Person) -> Person:
    """A table of every kind of column, open to all roles."""
    scratch.run(
        "CREATE TABLE thing (id int PRIMARY KEY, owner text, note text, counter int DEFAULT 7, state text,"
        " created_at timestamptz, updated_at timestamptz DEFAULT '2001-01-01')"
    )
    scratch.run("GRANT ALL ON thing TO anon, authenticated, service_role")
    return scratch


def trigger(db: Person, event: str, call: str, when: str = "true") -> None:
    db.run(f"CREATE TRIGGER guard BEFORE {event} ON thing FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION {call}")


@pytest.mark.parametrize(
    ("change", "moves"),
    [
        ("note = 'new'", True),
        ("note = note", True),
        ("counter = 8", False),
        ("counter = 8, owner = 'bob'", False),
        ("counter = 8, note = 'new'", True),
        ("counter = 8, updated_at = '2002-01-01'", False),
        ("updated_at = '2002-01-01'", False),
    ],
)
def test_updated_at_moves_unless_only_counters_change(thing: Person, change: str, moves: bool) -> None:
    trigger(thing, "UPDATE", "update_updated_at_column('counter', 'owner')")
    thing.run("INSERT INTO thing (id, note) VALUES (1, 'old')")
    thing.run(f"UPDATE thing SET {change}")
    assert thing.value("SELECT updated_at = CASE WHEN %s THEN now() ELSE '2001-01-01' END FROM thing", [moves])


def test_updated_at_always_moves_where_no_column_is_named(thing: Person) -> None:
    trigger(thing, "UPDATE", "update_updated_at_column()")
    thing.run("INSERT INTO thing (id) VALUES (1)")
    thing.run("UPDATE thing SET counter = 8, updated_at = '2002-01-01'")
    assert thing.value("SELECT updated_at = now() FROM thing")


@pytest.mark.parametrize(
    ("role", "inserted", "updated"),
    [
        ("owner", (5, "2001-01-01", "theirs"), (6, "2002-01-01", "new")),
        ("service_role", (0, "2001-01-01", "theirs"), (0, "2001-01-01", "new")),
        ("authenticated", (0, "now", "theirs"), (0, "now", "new")),
        ("anon", (0, "now", "theirs"), (0, "now", "new")),
    ],
)
def test_maintained_columns_are_silently_kept(
    thing: Person, role: str, inserted: tuple[Any, ...], updated: tuple[Any, ...]
) -> None:
    trigger(thing, "INSERT OR UPDATE", """maintain_columns('{"counter": 0}', '{"created_at": "now"}')""")
    found = (
        "SELECT counter, CASE created_at WHEN now() THEN 'now' ELSE to_char(created_at, 'YYYY-MM-DD') END, note"
        " FROM thing"
    )
    with acting_as(thing, role):
        thing.run("INSERT INTO thing (id, counter, created_at, note) VALUES (1, 5, '2001-01-01', 'theirs')")
        assert thing.row(found) == inserted
        thing.run("UPDATE thing SET counter = 6, created_at = '2002-01-01', note = 'new'")
        assert thing.row(found) == updated
        thing.run("UPDATE thing SET counter = NULL, created_at = NULL")
    if role != "owner":
        assert thing.row(found) == updated


@pytest.mark.parametrize("role", ["owner", "service_role", "authenticated"])
def test_what_never_changes_is_refused_to_all_and_the_same_value_accepted(thing: Person, role: str) -> None:
    changed = "(old.id, old.owner) IS DISTINCT FROM (new.id, new.owner)"
    trigger(thing, "UPDATE", "refuse_change('thing', 'thing_immutable_check', 'id', 'owner')", changed)
    thing.run("INSERT INTO thing (id, owner) VALUES (1, 'ann')")
    with acting_as(thing, role):
        assert thing.run("UPDATE thing SET id = 1, owner = 'ann', note = 'new'") == 1
        for change in ("id = 2", "owner = 'bob'", "owner = NULL"):
            with thing.refused("thing_immutable_check", "23514") as caught:
                thing.run(f"UPDATE thing SET {change}")
            diag = caught.value.diag
            assert diag.message_primary == "id, owner of thing cannot change"
            assert (diag.table_name, bool(diag.message_hint)) == ("thing", True)


@pytest.mark.parametrize("role", ["owner", "service_role", "authenticated", "anon"])
def test_what_users_may_not_change_is_refused_to_users(thing: Person, role: str) -> None:
    trigger(
        thing,
        "UPDATE",
        "refuse_change_by_user('thing', 'thing_authority_check', 'owner')",
        "old.owner IS DISTINCT FROM new.owner",
    )
    thing.run("INSERT INTO thing (id, owner) VALUES (1, 'ann')")
    with acting_as(thing, role):
        assert thing.run("UPDATE thing SET owner = 'ann', note = 'new'") == 1
        if role in ("owner", "service_role"):
            assert thing.run("UPDATE thing SET owner = 'bob'") == 1
        else:
            with thing.refused("thing_authority_check", "42501") as caught:
                thing.run("UPDATE thing SET owner = 'bob'")
            assert caught.value.diag.message_primary == "owner of thing can be changed by service_role only"
    assert thing.value("SELECT owner FROM thing") == ("bob" if role in ("owner", "service_role") else "ann")


STATES = ("open", "held", "done")
STEPS = {("open", "held"), ("held", "open"), ("held", "done")}


@pytest.fixture
def machine(thing: Person) -> Person:
    trigger(
        thing,
        "INSERT OR UPDATE",
        "guard_state('thing', 'thing_state_check', 'state', 'open', 'open>held', 'held>open', 'held>done')",
    )
    return thing


@pytest.mark.parametrize("role", ["service_role", "authenticated"])
@pytest.mark.parametrize("start", [*STATES, None])
@pytest.mark.parametrize("to", [*STATES, "lost", None])
def test_a_state_machine_takes_its_steps_and_no_others(
    machine: Person, role: str, start: str | None, to: str | None
) -> None:
    machine.run("INSERT INTO thing (id, state) VALUES (1, %s)", [start])
    with acting_as(machine, role):
        if start == to or (start, to) in STEPS:
            assert machine.run("UPDATE thing SET state = %s", [to]) == 1
            assert machine.rows("SELECT state FROM thing") == [(to,)]
        else:
            with machine.refused("thing_state_check", "23514"):
                machine.run("UPDATE thing SET state = %s", [to])


@pytest.mark.parametrize("role", ["owner", "service_role", "authenticated", "anon"])
@pytest.mark.parametrize("state", [*STATES, None])
def test_only_a_service_inserts_later_states(machine: Person, role: str, state: str | None) -> None:
    insert = "INSERT INTO thing (id, state) VALUES (1, %s)"
    with acting_as(machine, role):
        if state == "open" or role in ("owner", "service_role"):
            assert machine.run(insert, [state]) == 1
        else:
            with machine.refused("thing_state_check", "42501"):
                machine.run(insert, [state])


@pytest.mark.parametrize(
    ("start", "to", "hint"),
    [
        ("held", "lost", 'From "held" it may become: open, done.'),
        ("done", "open", '"done" is a final state.'),
    ],
)
def test_a_refused_step_says_what_is_allowed(machine: Person, start: str, to: str, hint: str) -> None:
    machine.run("INSERT INTO thing (id, state) VALUES (1, %s)", [start])
    with machine.refused("thing_state_check") as caught:
        machine.run("UPDATE thing SET state = %s", [to])
    diag = caught.value.diag
    assert diag.message_primary == f'state of thing cannot go from "{start}" to "{to}"'
    assert (diag.message_hint, diag.table_name) == (hint, "thing")


# Jobs


@pytest.fixture
def jobs(scratch: Person) -> Person:
    scratch.run("CREATE TABLE jobs (name text PRIMARY KEY, schedule text, command text)")
    scratch.run(
        "CREATE TRIGGER jobs_schedule AFTER INSERT OR UPDATE OR DELETE ON jobs"
        " FOR EACH ROW EXECUTE FUNCTION schedule_job()"
    )
    return scratch


def test_a_table_of_jobs_works_without_pg_cron(jobs: Person) -> None:
    jobs.run("DROP SCHEMA IF EXISTS cron CASCADE")
    jobs.run("INSERT INTO jobs VALUES ('tidy', '0 1 * * *', 'SELECT 1')")
    jobs.run("UPDATE jobs SET schedule = '0 2 * * *'")
    assert jobs.run("DELETE FROM jobs") == 1


def test_pg_cron_is_kept_in_step_with_a_table_of_jobs(jobs: Person) -> None:
    with_pg_cron(jobs)
    scheduled = "SELECT jobname, schedule, command FROM cron.job WHERE jobname LIKE 'scratch:%%' ORDER BY jobname"
    jobs.run("INSERT INTO jobs VALUES ('tidy', '0 1 * * *', 'SELECT 1'), ('other', '0 2 * * *', 'SELECT 2')")
    tidy, other = ("scratch:tidy", "0 1 * * *", "SELECT 1"), ("scratch:other", "0 2 * * *", "SELECT 2")
    assert jobs.rows(scheduled, {}) == [other, tidy]
    jobs.run("UPDATE jobs SET schedule = '0 3 * * *', name = 'clean' WHERE name = 'tidy'")
    assert jobs.rows(scheduled, {}) == [("scratch:clean", "0 3 * * *", "SELECT 1"), other]
    jobs.run("DELETE FROM jobs WHERE name = 'clean'")
    assert jobs.rows(scheduled, {}) == [other]


def test_a_changed_job_is_the_same_one_to_pg_cron(jobs: Person) -> None:
    with_pg_cron(jobs)
    jobs.run("INSERT INTO jobs VALUES ('tidy', '0 1 * * *', 'SELECT 1')")
    ours = "SELECT jobid FROM cron.job WHERE jobname = 'scratch:tidy'"
    before = jobs.value(ours)
    jobs.run("UPDATE jobs SET schedule = '0 2 * * *', command = 'SELECT 2'")
    assert jobs.value(ours) == before
    assert jobs.row("SELECT schedule, command FROM cron.job WHERE jobid = %s", [before]) == ("0 2 * * *", "SELECT 2")


def test_who_may_not_use_pg_cron_is_told_so(jobs: Person) -> None:
    with_pg_cron(jobs)
    jobs.run("CREATE ROLE no_cron; GRANT USAGE ON SCHEMA scratch, platform TO no_cron; GRANT ALL ON jobs TO no_cron")
    told: list[tuple[str | None, str | None]] = []
    jobs.conn.add_notice_handler(lambda diag: told.append((diag.message_primary, diag.message_hint)))
    jobs.run("SET LOCAL ROLE no_cron")
    jobs.run("INSERT INTO jobs VALUES ('tidy', '0 1 * * *', 'SELECT 1')")
    jobs.run("DELETE FROM jobs")
    jobs.run("SET LOCAL ROLE none")
    message = "pg_cron was not told of job scratch:tidy: no_cron may not use it"
    assert told == [(message, "GRANT USAGE ON SCHEMA cron to that role, then run `companion jobs sync`.")] * 2
    assert jobs.value("SELECT count(*) FROM cron.job WHERE jobname LIKE 'scratch:%%'", {}) == 0


# Where a request comes from


@pytest.mark.parametrize(
    ("headers", "origin"),
    [
        (None, (None, None)),
        ("", (None, None)),
        ('{"user-agent": "app/1.0", "x-forwarded-for": "192.0.2.7, 10.0.0.1"}', ("192.0.2.7", "app/1.0")),
        ('{"x-forwarded-for": "2001:db8::7"}', ("2001:db8::7", None)),
        ('{"user-agent": "app/1.0", "x-forwarded-for": "somewhere"}', (None, "app/1.0")),
        ("not json", (None, None)),
        ("[]", (None, None)),
    ],
)
def test_the_origin_of_a_request_is_what_the_gateway_says(
    db: Person, headers: str | None, origin: tuple[str | None, str | None]
) -> None:
    if headers is not None:
        db.run("SELECT set_config('request.headers', %s, TRUE)", [headers])
    assert db.row("SELECT host(ip_address), user_agent FROM platform.request_origin()") == origin


@pytest.mark.parametrize("person", ["as_anon", "as_service"])
def test_no_api_role_asks_for_the_origin(db: Person, person: str) -> None:
    with getattr(db, person)(), db.refused(sqlstate="42501"):
        db.run("SELECT platform.request_origin()")
