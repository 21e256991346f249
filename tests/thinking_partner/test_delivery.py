"""Scheduled messages and the log of their delivery: states, times, and who sends what when many ask or one dies."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.people import Person, insert, kill, work_together
from tests.thinking_partner.world import World, build_world, schedule

STATES = ["pending", "sent", "failed"]
STEPS = {("pending", "sent"), ("pending", "failed"), ("failed", "pending")}
STEP_CHECK = "scheduled_messages_status_transition_check"
CLAIM = "SELECT * FROM claim_due_messages(%s)"
TEN_MINUTES = "BETWEEN now() + interval '10 minutes' AND clock_timestamp() + interval '10 minutes'"
# What a state cannot be without.
NEEDED = {"failed": {"failure_reason": "Mailbox full"}}


@pytest.fixture
def service(db: Person, world: World) -> Any:
    """The service, in the transaction of `db`."""
    with db.as_service():
        yield db


def message(db: Person, id: UUID) -> Any:
    return db.row("SELECT * FROM scheduled_messages WHERE id = %s", [id])


def move(db: Person, id: UUID, status: str, **columns: Any) -> None:
    columns = {"status": status, **columns}
    settings = ", ".join(f"{name} = %({name})s" for name in columns)
    assert db.run(f"UPDATE scheduled_messages SET {settings} WHERE id = %(which)s", {**columns, "which": id}) == 1


def brought(db: Person, world: World, status: str, **columns: Any) -> UUID:
    """A message of Ann's in the state it has."""
    return schedule(db, world.ann, **{"status": status, **NEEDED.get(status, {}), **columns})


def claim(db: Person, limit: int | None = 10) -> list[UUID]:
    return [row.id for row in db.rows(CLAIM, [limit])]


def schedule_many(db: Person, workspace: UUID, number: int) -> None:
    db.run(
        "INSERT INTO scheduled_messages (workspace_id, scheduled_for, message_type, recipient_email)"
        " SELECT %s, now() - n * interval '1 second', 'digest', 'ann@example.org' FROM generate_series(1, %s) AS n",
        [workspace, number],
    )


# States


@pytest.mark.rule("TP-22", "accepts")
@pytest.mark.rule("TP-22", "refuses")
@pytest.mark.parametrize(("start", "wanted"), list(product(STATES, STATES)))
def test_every_pair_of_states(service: Person, world: World, start: str, wanted: str) -> None:
    id, other = (brought(service, world, start) for _ in range(2))
    if start == wanted or (start, wanted) in STEPS:
        move(service, id, wanted, **NEEDED.get(wanted, {}))
        assert message(service, id).status == wanted
    else:
        with service.refused(STEP_CHECK, "23514"):
            move(service, id, wanted, **NEEDED.get(wanted, {}))
        assert message(service, id).status == start
    assert message(service, other).status == start


@pytest.mark.rule("TP-22", "refuses")
def test_users_and_visitors_move_no_message(db: Person, world: World) -> None:
    id = schedule(db, world.ann)
    for acting in (db.as_user(world.ann.id), db.as_user(world.bob.id), db.as_anon()):
        with acting:
            for sql in (
                "UPDATE scheduled_messages SET status = 'sent'",
                "DELETE FROM scheduled_messages",
                "INSERT INTO scheduled_messages SELECT * FROM scheduled_messages",
                "SELECT claim_due_messages()",
            ):
                with db.refused(sqlstate="42501"):
                    db.run(sql)
    assert message(db, id).status == "pending"


@pytest.mark.rule("TP-22", "accepts")
def test_a_message_is_sent_when_it_is_marked_so(service: Person, world: World) -> None:
    id = schedule(service, world.ann, sent_at="2001-01-01Z")
    assert message(service, id).sent_at is None
    before = service.value("SELECT clock_timestamp()")
    move(service, id, "sent", sent_at="2001-01-01Z")
    sent = message(service, id)
    assert before <= sent.sent_at <= service.value("SELECT clock_timestamp()")
    for later in ("NULL", "'2001-01-01Z'"):
        service.run(f"UPDATE scheduled_messages SET sent_at = {later}")
        assert message(service, id) == sent


@pytest.mark.rule("TP-22", "accepts")
def test_a_message_that_failed_may_be_tried_again(service: Person, world: World) -> None:
    id = schedule(service, world.ann)
    assert claim(service) == [id]
    move(service, id, "failed", failure_reason="Mailbox full", sent_at="2001-01-01Z")
    row = message(service, id)
    assert (row.failure_reason, row.sent_at, row.claimed_until) == ("Mailbox full", None, None)
    assert claim(service) == []
    # The reason goes, whether a client sends it along or not.
    move(service, id, "pending", failure_reason="Mailbox full")
    assert (message(service, id).failure_reason, claim(service)) == (None, [id])
    move(service, id, "sent")
    row = message(service, id)
    assert (row.failure_reason, row.claimed_until, claim(service)) == (None, None, [])


@pytest.mark.rule("TP-22", "refuses")
@pytest.mark.parametrize("reason", [None, "", " \n", "\u200b"])
def test_a_message_fails_for_a_reason(service: Person, world: World, reason: str | None) -> None:
    id = schedule(service, world.ann)
    with service.refused("scheduled_messages_failure_reason_check", "23514"):
        move(service, id, "failed", failure_reason=reason)
    with service.refused("scheduled_messages_failure_reason_check", "23514"):
        brought(service, world, "failed", failure_reason=reason)


@pytest.mark.rule("TP-22", "refuses")
@pytest.mark.parametrize("status", ["pending", "sent"])
def test_what_has_not_failed_has_no_reason(service: Person, world: World, status: str) -> None:
    with service.refused("scheduled_messages_failure_reason_check", "23514"):
        brought(service, world, status, failure_reason="Mailbox full")
    id = schedule(service, world.ann)
    with service.refused("scheduled_messages_failure_reason_check", "23514"):
        move(service, id, status, failure_reason="Mailbox full")


@pytest.mark.rule("TP-22", "refuses")
@pytest.mark.parametrize(("status", "sent_at"), [("pending", "now()"), ("sent", "NULL"), ("failed", "now()")])
def test_the_time_and_the_state_agree(db: Person, world: World, status: str, sent_at: str) -> None:
    id = brought(db, world, status)
    db.run("ALTER TABLE scheduled_messages DISABLE TRIGGER scheduled_messages_times")
    with db.refused("scheduled_messages_sent_at_check", "23514"):
        db.run(f"UPDATE scheduled_messages SET sent_at = {sent_at} WHERE id = %s", [id])


@pytest.mark.rule("TP-22", "accepts")
def test_a_service_brings_messages_that_were_sent(service: Person, world: World) -> None:
    moment = service.value("SELECT '2001-01-01Z'::timestamptz")
    assert message(service, brought(service, world, "sent", sent_at=moment)).sent_at == moment
    before = service.value("SELECT clock_timestamp()")
    assert message(service, brought(service, world, "sent", claimed_until=moment)).sent_at >= before
    for status in ("pending", "failed"):
        assert message(service, brought(service, world, status, sent_at=moment)).sent_at is None
    assert {
        row.status for row in service.rows("SELECT status FROM scheduled_messages WHERE claimed_until IS NULL")
    } == {*STATES}


@pytest.mark.rule("TP-22", "refuses")
@pytest.mark.parametrize(
    "email", ["", "ann", "ann@example", "a b@example.org", "a@b@example.org", "@example.org", "a@.b"]
)
def test_a_message_has_a_recipient(service: Person, world: World, email: str) -> None:
    with service.refused("scheduled_messages_recipient_email_check", "23514"):
        schedule(service, world.ann, recipient_email=email)


@pytest.mark.rule("TP-22", "refuses")
def test_a_message_is_complete(service: Person, world: World) -> None:
    columns = ["scheduled_for", "message_type", "content", "recipient_email", "status", "created_at"]
    for column in columns:
        with service.refused(sqlstate="23502") as caught:
            schedule(service, world.ann, **{column: None})
        assert caught.value.diag.column_name == column
    with service.refused(sqlstate="23502") as caught:
        schedule(service, world.ann, workspace_id=None, owner_id=world.ann.id)
    assert caught.value.diag.column_name == "workspace_id"
    with service.refused("scheduled_messages_message_type_check", "23514"):
        schedule(service, world.ann, message_type=" ")
    for status in ("queued", "Pending", ""):
        with service.refused("scheduled_messages_status_check", "23514"):
            schedule(service, world.ann, status=status)


@pytest.mark.rule("TP-22", "refuses")
def test_a_message_stays_in_its_workspace(service: Person, world: World) -> None:
    for id in (uuid4(), None):
        with service.refused("scheduled_messages_workspace_id_fkey", "23503"):
            schedule(service, world.ann, workspace_id=id)
    with service.refused("scheduled_messages_workspace_id_fkey", "23503"):
        schedule(service, world.ann, owner_id=world.bob.id)
    id = schedule(service, world.ann)
    assert message(service, id).owner_id == world.ann.id
    for setting in (f"workspace_id = '{world.bob.workspace}'", f"owner_id = '{world.bob.id}'", f"id = '{uuid4()}'"):
        with service.refused("scheduled_messages_immutable_check", "23514"):
            service.run(f"UPDATE scheduled_messages SET {setting}")
    assert service.run("UPDATE scheduled_messages SET workspace_id = workspace_id, owner_id = owner_id, id = id") == 1
    assert service.run("DELETE FROM workspaces WHERE id = %s", [world.ann.workspace]) == 1
    assert service.rows("SELECT id FROM scheduled_messages") == []


# Taking messages


@pytest.mark.rule("TP-22", "accepts")
def test_who_takes_a_message_has_it_for_ten_minutes(service: Person, world: World) -> None:
    id = schedule(service, world.ann)
    before = message(service, id)
    (row,) = service.rows("SELECT * FROM claim_due_messages()")
    assert row == message(service, id) == before._replace(claimed_until=row.claimed_until)
    assert service.value(f"SELECT claimed_until {TEN_MINUTES} FROM scheduled_messages")
    assert claim(service) == []


@pytest.mark.rule("TP-22", "accepts")
@pytest.mark.rule("TP-22", "refuses")
def test_a_lease_that_has_run_out_is_given_anew(service: Person, world: World) -> None:
    id = schedule(service, world.ann)
    assert claim(service) == [id]
    for ends in ("now()", "now() + interval '1 second'"):
        service.run(f"UPDATE scheduled_messages SET claimed_until = {ends}")
        assert claim(service) == []
    service.run("UPDATE scheduled_messages SET claimed_until = now() - interval '1 microsecond'")
    assert claim(service) == [id]
    assert service.value(f"SELECT claimed_until {TEN_MINUTES} FROM scheduled_messages")
    # The first worker was slow, not dead: what it has sent is sent.
    move(service, id, "sent")
    assert claim(service) == []


@pytest.mark.rule("TP-22", "accepts")
@pytest.mark.rule("TP-22", "refuses")
def test_a_message_is_given_when_its_time_has_come(service: Person, world: World) -> None:
    now = service.value("SELECT now()")
    due = schedule(service, world.ann, scheduled_for=now)
    schedule(service, world.ann, scheduled_for=service.value("SELECT now() + interval '1 microsecond'"))
    assert claim(service) == [due]


@pytest.mark.rule("TP-22", "refuses")
@pytest.mark.parametrize("status", ["sent", "failed"])
def test_what_is_done_is_not_given_again(service: Person, world: World, status: str) -> None:
    brought(service, world, status)
    assert claim(service) == []


@pytest.mark.rule("TP-22", "accepts")
def test_the_earliest_messages_are_taken_first(service: Person, world: World) -> None:
    days = [schedule(service, world.ann, scheduled_for=f"2026-01-0{day}Z") for day in (3, 1, 4, 2)]
    twins = sorted(schedule(service, world.bob, scheduled_for="2025-01-01Z") for _ in range(3))
    assert claim(service, 2) == twins[:2]
    assert claim(service, 3) == [twins[2], days[1], days[3]]
    assert claim(service, 100) == [days[0], days[2]]


@pytest.mark.rule("TP-22", "accepts")
@pytest.mark.rule("TP-22", "refuses")
@pytest.mark.parametrize(("limit", "taken"), [(None, 10), (-1, 0), (0, 0), (1, 1), (1000, 1000), (1001, 1000)])
def test_at_most_1000_are_taken(service: Person, world: World, limit: int | None, taken: int) -> None:
    schedule_many(service, world.ann.workspace, 1001 if taken == 1000 else 11)
    assert len(claim(service, limit)) == taken
    assert service.value("SELECT count(claimed_until) FROM scheduled_messages") == taken


@pytest.mark.rule("TP-22", "accepts")
def test_ten_are_taken_unless_told(service: Person, world: World) -> None:
    schedule_many(service, world.ann.workspace, 11)
    assert len(service.rows("SELECT * FROM claim_due_messages()")) == 10


@pytest.mark.rule("TP-22", "accepts")
@pytest.mark.rule("TP-22", "refuses")
def test_twenty_workers_of_whom_one_dies_send_everything_once(connect: Callable[[], Person]) -> None:
    owner = connect()
    schedule_many(owner, build_world(owner).ann.workspace, 150)
    left = work_together(connect, claim, lambda worker, id: move(worker, id, "sent"), 150)
    assert owner.value("SELECT count(*) FROM scheduled_messages WHERE status = 'sent'") == 150 - left


@pytest.mark.rule("TP-22", "refuses")
def test_a_worker_passes_over_what_another_is_just_taking(connect: Callable[[], Person]) -> None:
    one, two = connect(), connect()
    schedule_many(one, build_world(one).ann.workspace, 5)
    with one.as_service(), two.as_service():
        two.run("SET lock_timeout = '1s'")
        one.run("BEGIN")
        first, second = claim(one, 3), claim(two, 3)
        one.run("COMMIT")
        assert (len(first), len(second), set(first) & set(second)) == (3, 2, set())
        assert claim(one) == claim(two) == []


@pytest.mark.rule("TP-22", "accepts")
def test_what_a_worker_took_before_it_died_is_given_when_its_time_is_over(connect: Callable[[], Person]) -> None:
    owner, victim = connect(), connect()
    schedule_many(owner, build_world(owner).ann.workspace, 3)
    held = claim(victim)
    kill(victim, by=owner)
    assert claim(owner) == []
    owner.run("UPDATE scheduled_messages SET claimed_until = now() - interval '1 second'")
    assert claim(owner) == held


# The log of deliveries


def log(db: Person, id: UUID | None, **columns: Any) -> UUID:
    return insert(db, "email_delivery_log", **{"scheduled_message_id": id, "recipient": "ann@example.org", **columns})


def entry(db: Person, id: UUID) -> Any:
    return db.row("SELECT * FROM email_delivery_log WHERE id = %s", [id])


@pytest.mark.rule("TP-23", "accepts")
@pytest.mark.parametrize("status", ["sent", "delivered", "opened", "clicked", "bounced", "failed"])
def test_the_time_of_the_status_follows_it(service: Person, world: World, status: str) -> None:
    message_id = schedule(service, world.ann)
    ids = [log(service, message_id, status_updated_at="2026-01-01Z") for _ in range(2)]
    row = entry(service, ids[0])
    assert (row.status, row.provider, row.owner_id) == ("sent", "resend", world.ann.id)
    before = service.value("SELECT clock_timestamp()")
    changed = "UPDATE email_delivery_log SET status = %s, status_updated_at = '2001-01-01Z' WHERE id = %s"
    assert service.run(changed, [status, ids[0]]) == 1
    after = entry(service, ids[0])
    if status == "sent":
        assert after == row
    else:
        assert before <= after.status_updated_at <= service.value("SELECT clock_timestamp()")
        assert after == row._replace(status=status, status_updated_at=after.status_updated_at)
    assert entry(service, ids[1]).status_updated_at == row.status_updated_at


@pytest.mark.rule("TP-23", "accepts")
def test_other_changes_leave_the_time_of_the_status(service: Person, world: World) -> None:
    id = log(service, schedule(service, world.ann), status_updated_at="2026-01-01Z", status="opened")
    before = entry(service, id)
    service.run("UPDATE email_delivery_log SET subject = 'New', provider_message_id = 'm-1', status_updated_at = now()")
    assert entry(service, id) == before._replace(subject="New", provider_message_id="m-1")


@pytest.mark.rule("TP-23", "refuses")
@pytest.mark.parametrize("status", ["pending", "Sent", "complained", ""])
def test_there_are_no_other_reports(service: Person, world: World, status: str) -> None:
    message_id = schedule(service, world.ann)
    with service.refused("email_delivery_log_status_check", "23514"):
        log(service, message_id, status=status)
    log(service, message_id)
    with service.refused("email_delivery_log_status_check", "23514"):
        service.run("UPDATE email_delivery_log SET status = %s", [status])


@pytest.mark.rule("TP-23", "accepts")
@pytest.mark.rule("TP-23", "refuses")
def test_a_message_of_the_provider_has_one_row(service: Person, world: World) -> None:
    one, other = schedule(service, world.ann), schedule(service, world.bob)
    for message_id in (one, other):
        # What has no number yet is no repetition, nor is a second attempt.
        for number in (None, None, f"{message_id}-1", f"{message_id}-2"):
            log(service, message_id, provider_message_id=number)
    for message_id in (one, other):
        with service.refused("email_delivery_log_provider_message_id_key", "23505"):
            log(service, message_id, provider_message_id=f"{one}-1")
    assert service.value("SELECT count(*) FROM email_delivery_log") == 8


@pytest.mark.rule("TP-23", "refuses")
def test_an_entry_is_complete(service: Person, world: World) -> None:
    message_id = schedule(service, world.ann)
    for column in ("recipient", "provider", "status", "status_updated_at", "created_at"):
        with service.refused(sqlstate="23502") as caught:
            log(service, message_id, **{column: None})
        assert caught.value.diag.column_name == column
    with service.refused(sqlstate="23502") as caught:
        log(service, None, owner_id=world.ann.id)
    assert caught.value.diag.column_name == "scheduled_message_id"


@pytest.mark.rule("TP-23", "refuses")
def test_an_entry_stays_with_its_message(service: Person, world: World) -> None:
    message_id, other = schedule(service, world.ann), schedule(service, world.ann)
    for id in (uuid4(), None):
        with service.refused("email_delivery_log_scheduled_message_id_fkey", "23503"):
            log(service, id)
    with service.refused("email_delivery_log_scheduled_message_id_fkey", "23503"):
        log(service, message_id, owner_id=world.bob.id)
    log(service, message_id)
    for setting in (f"scheduled_message_id = '{other}'", f"owner_id = '{world.bob.id}'", f"id = '{uuid4()}'"):
        with service.refused("email_delivery_log_immutable_check", "23514"):
            service.run(f"UPDATE email_delivery_log SET {setting}")
    same = "scheduled_message_id = scheduled_message_id, owner_id = owner_id, id = id, subject = 'New'"
    assert service.run(f"UPDATE email_delivery_log SET {same}") == 1
    assert service.run("DELETE FROM scheduled_messages WHERE id = %s", [message_id]) == 1
    assert service.rows("SELECT id FROM email_delivery_log") == []


@pytest.mark.rule("TP-23", "refuses")
def test_the_log_is_the_services(db: Person, world: World) -> None:
    log(db, schedule(db, world.ann))
    log(db, schedule(db, world.bob))
    with db.as_user(world.ann.id):
        assert db.row("SELECT * FROM email_delivery_log").owner_id == world.ann.id
    for acting in (db.as_user(world.ann.id), db.as_anon()):
        with acting:
            for sql in (
                "UPDATE email_delivery_log SET status = 'opened'",
                "DELETE FROM email_delivery_log",
                "INSERT INTO email_delivery_log (recipient) VALUES ('a')",
            ):
                with db.refused(sqlstate="42501"):
                    db.run(sql)
