"""Billing: what each event does to a workspace, that it does so once, and how a cancelled subscription ends."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from typing import Any
from uuid import UUID, uuid4

import pytest
from psycopg.types.json import Jsonb

from tests.cron import with_pg_cron
from tests.people import Person, at_once, blocked, insert
from tests.thinking_partner.world import World, build_world

RECORD = "SELECT * FROM record_subscription_event(%s, %s, %s, %s, %s, %s)"
EXPIRE = "SELECT expire_subscriptions()"
PERIOD = "2100-01-01 00:00Z"

# What each event makes of a workspace: (status, whether it is cancelled); None: nothing changes.
EFFECTS = {
    "subscription_created": ("pro", False),
    "subscription_resumed": ("pro", False),
    "subscription_payment_success": ("pro", False),
    "subscription_cancelled": ("pro", True),
    "subscription_expired": ("free", False),
    "subscription_paused": None,
    "subscription_unpaused": None,
    "subscription_payment_failed": None,
    "subscription_payment_recovered": None,
    "subscription_plan_changed": None,
    "subscription_updated": None,
    "order_created": None,
    "Subscription_Created": None,
    "other": None,
}
STATUSES = {
    "on_trial": ("pro", False),
    "active": ("pro", False),
    "past_due": ("pro", False),
    "cancelled": ("pro", True),
    "paused": ("free", False),
    "unpaid": ("free", False),
    "expired": ("free", False),
    "Active": None,
    "": None,
    "other": None,
    None: None,
}
# What a workspace may have been before.
BEFORE: dict[str, dict[str, Any]] = {
    "free": {},
    "pro": {"subscription_status": "pro", "subscription_expires_at": "2099-01-01Z"},
    "cancelled": {
        "subscription_status": "pro",
        "subscription_expires_at": "2099-01-01Z",
        "subscription_cancelled_at": "2026-01-01Z",
    },
}
IDS = {"lemonsqueezy_subscription_id": "old-s", "lemonsqueezy_customer_id": "old-c"}


@pytest.fixture
def service(db: Person, world: World) -> Any:
    """The service, in the transaction of `db`."""
    with db.as_service():
        yield db


def workspace(db: Person, id: UUID) -> Any:
    return db.row("SELECT * FROM workspaces WHERE id = %s", [id])


def prepare(db: Person, id: UUID, **columns: Any) -> Any:
    """Give a workspace this subscription and return the row."""
    settings = ", ".join(f"{name} = %({name})s" for name in columns)
    db.run(f"UPDATE workspaces SET {settings} WHERE id = %(which)s", {**columns, "which": id})
    return workspace(db, id)


def record(
    db: Person,
    id: UUID | None,
    event: str | None,
    payload: Any = None,
    *,
    until: str | None = PERIOD,
    subscription: str | None = "new-s",
    customer: str | None = "new-c",
) -> Any:
    """Record an event (with a payload of its own, unless given) and return the workspace."""
    payload = {"n": str(uuid4())} if payload is None else payload
    return db.row(RECORD, [id, event, subscription, customer, until, Jsonb(payload)])


def updated(status: str | None) -> dict[str, Any]:
    return {"data": {"attributes": {"status": status}}}


def events(db: Person) -> int:
    return db.value("SELECT count(*) FROM subscription_events")


def check(db: Person, before: Any, after: Any, effect: tuple[str, bool] | None) -> None:
    """See that a workspace became what an event makes of it, and nothing else of it changed."""
    assert after == workspace(db, before.id)
    if effect is None:
        assert after == before
        return
    status, cancelled = effect
    assert after.subscription_status == status
    assert after.subscription_expires_at == db.value("SELECT %s::timestamptz", [PERIOD])
    when = (before.subscription_cancelled_at or db.value("SELECT now()")) if cancelled else None
    assert after.subscription_cancelled_at == when
    assert (after.lemonsqueezy_subscription_id, after.lemonsqueezy_customer_id) == ("new-s", "new-c")
    moved = {name: getattr(after, name) for name in after._fields if "subscription" in name or "lemon" in name}
    assert before._replace(**moved, updated_at=after.updated_at) == after


# What an event does


@pytest.mark.rule("TP-21", "accepts")
@pytest.mark.parametrize("event", EFFECTS)
@pytest.mark.parametrize("start", BEFORE)
def test_every_event_type(service: Person, world: World, start: str, event: str) -> None:
    before = prepare(service, world.ann.workspace, **BEFORE[start], **IDS)
    other = workspace(service, world.bob.workspace)
    check(service, before, record(service, world.ann.workspace, event), EFFECTS[event])
    assert workspace(service, world.bob.workspace) == other
    assert events(service) == 1


@pytest.mark.rule("TP-21", "accepts")
@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("start", BEFORE)
def test_of_an_update_the_status_counts(service: Person, world: World, start: str, status: str | None) -> None:
    before = prepare(service, world.ann.workspace, **BEFORE[start], **IDS)
    after = record(service, world.ann.workspace, "subscription_updated", updated(status))
    check(service, before, after, STATUSES[status])
    assert events(service) == 1


@pytest.mark.rule("TP-21", "refuses")
@pytest.mark.parametrize(
    "payload",
    [
        {},
        [],
        "active",
        1,
        {"status": "active"},
        {"data": "active"},
        {"data": {"status": "active"}},
        updated(["active"]),
    ],
)
def test_an_update_without_a_status_changes_nothing(service: Person, world: World, payload: Any) -> None:
    before = prepare(service, world.ann.workspace, **BEFORE["cancelled"], **IDS)
    assert record(service, world.ann.workspace, "subscription_updated", payload) == before
    assert events(service) == 1


@pytest.mark.rule("TP-21", "refuses")
@pytest.mark.parametrize("event", ["subscription_created", "subscription_expired", "subscription_cancelled"])
def test_the_status_in_the_payload_counts_for_updates_only(service: Person, world: World, event: str) -> None:
    for status in ("active", "expired", "cancelled"):
        before = workspace(service, world.ann.workspace)
        check(service, before, record(service, world.ann.workspace, event, updated(status)), EFFECTS[event])


@pytest.mark.rule("TP-21", "accepts")
@pytest.mark.parametrize("event", [event for event, effect in EFFECTS.items() if effect])
def test_what_an_event_does_not_say_stays(service: Person, world: World, event: str) -> None:
    before = prepare(service, world.ann.workspace, **BEFORE["pro"], **IDS)
    after = record(service, world.ann.workspace, event, until=None, subscription=None, customer=None)
    same = ("subscription_expires_at", "lemonsqueezy_subscription_id", "lemonsqueezy_customer_id")
    assert [getattr(after, name) for name in same] == [getattr(before, name) for name in same]


@pytest.mark.rule("TP-21", "accepts")
def test_an_event_is_recorded_as_it_came(service: Person, world: World) -> None:
    record(service, world.ann.workspace, "subscription_created", {"b": [1], "a": "ä"})
    row = service.row("SELECT * FROM subscription_events")
    assert (row.workspace_id, row.owner_id) == (world.ann.workspace, world.ann.id)
    assert (row.event_type, row.event_source) == ("subscription_created", "lemonsqueezy")
    assert (row.ls_subscription_id, row.ls_customer_id, row.payload) == ("new-s", "new-c", {"b": [1], "a": "ä"})
    assert row.created_at == service.value("SELECT now()")
    hashed = "SELECT encode(sha256(convert_to(payload::text, 'UTF8')), 'hex') FROM subscription_events"
    assert row.payload_hash == service.value(hashed)
    insert(service, "subscription_events", workspace_id=world.ann.workspace, event_type="é" * 200)


@pytest.mark.rule("TP-21", "accepts")
def test_an_event_may_have_no_payload_and_a_large_one(service: Person, world: World) -> None:
    for payload in (None, Jsonb({"text": "".join(chr(33 + n * n % 9000) for n in range(100_000))})):
        service.run(RECORD, [world.ann.workspace, "subscription_created", None, None, None, payload])
    assert service.value("SELECT count(*) FROM subscription_events WHERE payload = '{}'") == 1
    assert events(service) == 2


@pytest.mark.rule("TP-21", "accepts")
def test_events_move_a_workspace_in_the_order_in_which_they_come(service: Person, world: World) -> None:
    id = world.ann.workspace
    seen = []
    for event, payload in (
        ("subscription_created", None),
        ("subscription_cancelled", None),
        ("subscription_payment_failed", None),
        ("subscription_resumed", None),
        ("subscription_updated", updated("cancelled")),
        ("subscription_expired", None),
        ("subscription_updated", updated("active")),
    ):
        after = record(service, id, event, payload)
        seen.append((after.subscription_status, after.subscription_cancelled_at is not None))
    paying, ending, over = ("pro", False), ("pro", True), ("free", False)
    assert seen == [paying, ending, ending, paying, ending, over, paying]
    assert events(service) == 7


# Once


@pytest.mark.rule("TP-21", "refuses")
def test_the_same_payload_twice_changes_nothing(service: Person, world: World) -> None:
    id, payload = world.ann.workspace, {"id": 1, "name": "x"}
    record(service, id, "subscription_created", payload)
    after = record(service, id, "subscription_expired")
    assert after.subscription_status == "free"
    # However it is written, and whatever else comes with it.
    for again in (payload, {"name": "x", "id": 1}):
        assert record(service, id, "subscription_created", again, until="2200-01-01Z", customer="else") == after
    assert (workspace(service, id), events(service)) == (after, 2)


@pytest.mark.rule("TP-21", "accepts")
def test_another_workspace_type_or_payload_is_another_event(service: Person, world: World) -> None:
    payload = {"id": 1}
    record(service, world.ann.workspace, "subscription_created", payload)
    assert record(service, world.bob.workspace, "subscription_created", payload).subscription_status == "pro"
    assert record(service, world.ann.workspace, "subscription_expired", payload).subscription_status == "free"
    assert record(service, world.ann.workspace, "subscription_created", {"id": 2}).subscription_status == "pro"
    assert events(service) == 4


@pytest.mark.rule("TP-21", "refuses")
def test_the_same_event_by_hand_is_refused(service: Person, world: World) -> None:
    row = {"workspace_id": world.ann.workspace, "event_type": "order_created", "payload": Jsonb({"id": 1})}
    insert(service, "subscription_events", **row)
    with service.refused("subscription_events_payload_key", "23505"):
        # The hash is the database's.
        insert(service, "subscription_events", **row, payload_hash="other")
    record(service, world.ann.workspace, "order_created", {"id": 1})
    assert events(service) == 1


@pytest.mark.rule("TP-21", "refuses")
@pytest.mark.parametrize("end", ["COMMIT", "ROLLBACK"])
def test_an_event_that_comes_twice_at_once_counts_once(connect: Callable[[], Person], end: str) -> None:
    one, two = connect(), connect()
    world = build_world(one)
    call = [world.ann.workspace, "subscription_created", "s", "c", PERIOD, Jsonb({"id": 1})]
    with one.as_service(), two.as_service():
        one.run("BEGIN")
        moved = one.row(RECORD, call)
        with blocked(two, one, f"CREATE TEMPORARY TABLE told AS {RECORD}", call) as repeated:
            one.run(end)
        assert repeated.result() == 1
        assert events(one) == 1
        # Who came second is told what has become of the workspace, not what it was when they began.
        told = two.row("SELECT * FROM told")
        assert told == two.row(RECORD, call) == workspace(one, world.ann.workspace)
        assert told.subscription_status == "pro"
        assert (workspace(one, world.ann.workspace) == moved) is (end == "COMMIT")


@pytest.mark.rule("TP-21", "refuses")
def test_twenty_sessions_with_the_same_event_are_told_the_same(connect: Callable[[], Person]) -> None:
    owner = connect()
    world = build_world(owner)
    with ExitStack() as stack:
        people = [stack.enter_context(connect().as_service()) for _ in range(20)]
        call = [world.ann.workspace, "subscription_cancelled", "s", "c", PERIOD, Jsonb({"id": 1})]
        told = at_once(people, RECORD, call)
    assert set(told) == {workspace(owner, world.ann.workspace)}
    assert events(owner) == 1


@pytest.mark.rule("TP-21", "accepts")
def test_different_events_at_once_are_taken_one_after_the_other(connect: Callable[[], Person]) -> None:
    one, two, three = connect(), connect(), connect()
    world = build_world(one)
    with one.as_service(), two.as_service(), three.as_service():
        one.run("BEGIN")
        record(one, world.ann.workspace, "subscription_created", subscription="first", customer=None)
        later = [world.ann.workspace, "subscription_cancelled", None, "second", None, Jsonb({"id": 2})]
        with blocked(two, one, RECORD, later) as second:
            # Another's workspace does not wait.
            three.run("SET lock_timeout = '1s'")
            assert record(three, world.bob.workspace, "subscription_created").subscription_status == "pro"
            one.run("COMMIT")
        assert second.result() == 1
        row = workspace(one, world.ann.workspace)
        assert (row.lemonsqueezy_subscription_id, row.lemonsqueezy_customer_id) == ("first", "second")
        assert row.subscription_expires_at == one.value("SELECT %s::timestamptz", [PERIOD])
        assert row.subscription_cancelled_at is not None


# Who may, and what is refused


@pytest.mark.rule("TP-21", "refuses")
def test_an_event_of_an_unknown_workspace_is_not_recorded(service: Person, world: World) -> None:
    for id in (uuid4(), None):
        with service.refused("subscription_events_workspace_id_fkey", "P0002") as caught:
            record(service, id, "subscription_created")
        assert "not recorded" in caught.value.diag.message_hint
        with service.refused("subscription_events_workspace_id_fkey", "23503"):
            insert(service, "subscription_events", workspace_id=id, event_type="order_created")
    with service.refused("subscription_events_workspace_id_fkey", "23503"):
        row = {"workspace_id": world.ann.workspace, "owner_id": world.bob.id, "event_type": "order_created"}
        insert(service, "subscription_events", **row)
    assert events(service) == 0


@pytest.mark.rule("TP-21", "refuses")
def test_an_event_is_complete(service: Person, world: World) -> None:
    before = workspace(service, world.ann.workspace)
    for event in ("", " \n", "x" * 201):
        with service.refused("subscription_events_event_type_check", "23514"):
            record(service, world.ann.workspace, event)
    with service.refused(sqlstate="23502"):
        record(service, world.ann.workspace, None)
    for column in ("event_type", "event_source", "payload", "created_at"):
        row = {"workspace_id": world.ann.workspace, "event_type": "order_created", column: None}
        with service.refused(sqlstate="23502") as caught:
            insert(service, "subscription_events", **row)
        assert caught.value.diag.column_name == column
    with service.refused(sqlstate="23502") as caught:
        insert(service, "subscription_events", workspace_id=None, owner_id=world.ann.id, event_type="order_created")
    assert caught.value.diag.column_name == "workspace_id"
    assert (workspace(service, world.ann.workspace), events(service)) == (before, 0)


@pytest.mark.rule("TP-21", "refuses")
@pytest.mark.parametrize("who", ["owner", "other", "anon", "service"])
def test_nobody_changes_an_event(db: Person, world: World, who: str) -> None:
    with db.as_service():
        record(db, world.ann.workspace, "subscription_created")
    before = db.row("SELECT * FROM subscription_events")
    people: dict[str, AbstractContextManager[Person]] = {
        "owner": db.as_user(world.ann.id),
        "other": db.as_user(world.bob.id),
        "anon": db.as_anon(),
        "service": db.as_service(),
    }
    with people[who]:
        for sql in (
            "UPDATE subscription_events SET payload = '{}'",
            "UPDATE subscription_events SET created_at = created_at",
            "DELETE FROM subscription_events",
            "TRUNCATE subscription_events",
        ):
            with db.refused(sqlstate="42501"):
                db.run(sql)
    assert db.row("SELECT * FROM subscription_events") == before


@pytest.mark.rule("TP-21", "refuses")
def test_users_record_nothing_and_read_their_own(db: Person, world: World) -> None:
    with db.as_service():
        for user in (world.ann, world.bob):
            record(db, user.workspace, "order_created")
    for acting in (db.as_user(world.ann.id), db.as_anon()):
        with acting:
            for sql in (EXPIRE, "INSERT INTO subscription_events (workspace_id, event_type) SELECT NULL, 'x'"):
                with db.refused(sqlstate="42501"):
                    db.run(sql)
            with db.refused(sqlstate="42501"):
                record(db, world.ann.workspace, "subscription_created")
    with db.as_user(world.ann.id):
        assert db.row("SELECT * FROM subscription_events").owner_id == world.ann.id
    assert workspace(db, world.ann.workspace).subscription_status == "free"


# The end of a period


@pytest.mark.rule("TP-21", "accepts")
def test_a_cancelled_subscription_ends_with_its_period(service: Person, world: World) -> None:
    id = world.ann.workspace
    record(service, id, "subscription_created")
    end = service.value("SELECT (now() + interval '1 microsecond')::text")
    before = record(service, id, "subscription_cancelled", until=end)
    assert before.subscription_status == "pro"
    assert service.value(EXPIRE) == 0
    assert workspace(service, id) == before
    # The exact end is the end.
    before = prepare(service, id, subscription_expires_at=service.value("SELECT now()"))
    assert service.value(EXPIRE) == 1
    assert workspace(service, id) == before._replace(subscription_status="free")
    assert service.value(EXPIRE) == 0
    # Who comes back is pro and no longer cancelled.
    after = record(service, id, "subscription_resumed")
    assert (after.subscription_status, after.subscription_cancelled_at) == ("pro", None)


@pytest.mark.rule("TP-21", "refuses")
@pytest.mark.parametrize("event", ["subscription_created", "subscription_resumed", "subscription_payment_success"])
def test_what_is_not_cancelled_is_never_ended_by_the_job(service: Person, world: World, event: str) -> None:
    record(service, world.ann.workspace, "subscription_cancelled", until="2001-01-01Z")
    before = record(service, world.ann.workspace, event, until="2002-01-01Z")
    assert service.value(EXPIRE) == 0
    assert workspace(service, world.ann.workspace) == before


@pytest.mark.rule("TP-21", "accepts")
def test_a_cancellation_without_a_period_ends_at_once(service: Person, world: World) -> None:
    row = record(service, world.ann.workspace, "subscription_cancelled", until=None)
    assert (row.subscription_status, row.subscription_expires_at) == ("pro", service.value("SELECT now()"))
    assert service.value(EXPIRE) == 1


@pytest.mark.rule("TP-21", "accepts")
def test_the_job_ends_all_that_are_due_and_touches_no_other(service: Person, world: World) -> None:
    due = {"subscription_cancelled_at": "2026-01-01Z", "subscription_expires_at": "2026-01-02Z"}
    rows = [
        {"subscription_status": "pro", **due},
        {"subscription_status": "pro", **due},
        {"subscription_status": "free", **due},
        {"subscription_status": "pro", **due, "subscription_cancelled_at": None},
        {"subscription_status": "pro", **due, "subscription_expires_at": None},
        {"subscription_status": "pro", **due, "subscription_expires_at": "2100-01-01Z"},
    ]
    times = {"created_at": "2026-01-01Z", "updated_at": "2026-01-01Z"}
    ids = [insert(service, "workspaces", name="W", owner_id=world.ann.id, **times, **row) for row in rows]
    before = [workspace(service, id) for id in ids]
    assert service.value(EXPIRE) == 2
    after = [workspace(service, id) for id in ids]
    assert [row.subscription_status for row in after[:2]] == ["free", "free"]
    assert after[2:] == before[2:]


@pytest.mark.rule("TP-21", "accepts")
def test_the_job_meets_a_renewal_and_leaves_it(connect: Callable[[], Person]) -> None:
    one, two = connect(), connect()
    id = build_world(one).ann.workspace
    prepare(one, id, **{**BEFORE["cancelled"], "subscription_expires_at": "2026-02-01Z"})
    with one.as_service(), two.as_service():
        one.run("BEGIN")
        renewed = record(one, id, "subscription_resumed")
        with blocked(two, one, EXPIRE) as job:
            one.run("COMMIT")
        assert job.result() == 1
        assert workspace(two, id) == renewed


# The job


@pytest.mark.rule("TP-21", "accepts")
def test_the_job_is_declared_hourly_and_nothing_else_is(service: Person) -> None:
    job = service.row("SELECT * FROM jobs")
    assert (job.name, job.schedule) == ("expire-subscriptions", "10 * * * *")
    assert job.command == service.value(
        "SELECT format('SELECT %%I.expire_subscriptions()', %s::text)", [service.schema]
    )


@pytest.mark.rule("TP-21", "accepts")
def test_the_job_does_its_work_under_any_search_path(db: Person, world: World) -> None:
    prepare(db, world.ann.workspace, **{**BEFORE["cancelled"], "subscription_expires_at": "2026-02-01Z"})
    command = db.value("SELECT command FROM jobs WHERE name = 'expire-subscriptions'")
    db.run("CREATE TEMPORARY TABLE workspaces (id uuid) ON COMMIT DROP")
    db.run("SET LOCAL search_path = pg_temp")
    assert db.value(command) == 1
    db.run(f'SET LOCAL search_path = "{db.schema}", platform, pg_temp')
    assert workspace(db, world.ann.workspace).subscription_status == "free"


@pytest.mark.rule("TP-21", "accepts")
def test_pg_cron_runs_the_job_of_each_instance_under_its_name(db: Person) -> None:
    with_pg_cron(db)
    db.run("CREATE TEMPORARY TABLE declared ON COMMIT DROP AS SELECT * FROM jobs")
    db.run("DELETE FROM jobs")
    db.run("INSERT INTO jobs SELECT * FROM declared")
    scheduled = db.rows("SELECT jobname, schedule FROM cron.job WHERE starts_with(jobname, %s)", [f"{db.schema}:"])
    assert dict(scheduled) == {f"{db.schema}:expire-subscriptions": "10 * * * *"}


@pytest.mark.rule("TP-21", "refuses")
def test_jobs_are_declared_by_migrations_only(db: Person, world: World) -> None:
    for schedule in ("", "hourly", "60 * * * *", "@hourly"):
        with db.refused("jobs_schedule_check", "23514"):
            db.run("UPDATE jobs SET schedule = %s", [schedule])
    with db.refused("jobs_pkey", "23505"):
        db.run("INSERT INTO jobs VALUES ('expire-subscriptions', '0 0 * * *', 'SELECT 1', 'Again')")
    for column in ("name", "schedule", "command", "description"):
        row = {"name": "n", "schedule": "0 0 * * *", "command": "SELECT 1", "description": "D", column: None}
        with db.refused(sqlstate="23502") as caught:
            db.run("INSERT INTO jobs VALUES (%(name)s, %(schedule)s, %(command)s, %(description)s)", row)
        assert caught.value.diag.column_name == column
    for acting in (db.as_user(world.ann.id), db.as_anon()):
        with acting, db.refused(sqlstate="42501"):
            db.run("SELECT name FROM jobs")
    with db.as_service():
        for sql in ("DELETE FROM jobs", "UPDATE jobs SET command = 'SELECT 1'", "INSERT INTO jobs SELECT * FROM jobs"):
            with db.refused(sqlstate="42501"):
                db.run(sql)
