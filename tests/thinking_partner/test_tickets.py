"""Work tickets: their states and times, who takes them when many ask or one dies, and what is delivered for them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from itertools import product
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.people import Person, insert, kill, work_together
from tests.thinking_partner.world import World, build_world, order

STATES = ["pending", "running", "completed", "failed"]
STEPS = {("pending", "running"), ("running", "completed"), ("running", "failed")}
STEP_CHECK = "work_tickets_status_transition_check"
CLAIM = "SELECT * FROM claim_tickets(%s)"
TEN_MINUTES = "BETWEEN now() + interval '10 minutes' AND clock_timestamp() + interval '10 minutes'"
JUST_NOW = "BETWEEN now() AND clock_timestamp()"
# What a state cannot be without.
NEEDED = {"failed": {"error_message": "No answer"}}


def ticket(db: Person, id: UUID) -> Any:
    return db.row("SELECT * FROM work_tickets WHERE id = %s", [id])


def move(db: Person, id: UUID, status: str, **columns: Any) -> None:
    columns = {"status": status, **columns}
    settings = ", ".join(f"{name} = %({name})s" for name in columns)
    assert db.run(f"UPDATE work_tickets SET {settings} WHERE id = %(which)s", {**columns, "which": id}) == 1


def imported(db: Person, world: World, status: str, **columns: Any) -> UUID:
    """A ticket of Ann's that a service brings in the state it has."""
    with db.as_service():
        return order(db, world.ann, **{"status": status, **NEEDED.get(status, {}), **columns})


def by(db: Person, world: World, who: str) -> AbstractContextManager[Person]:
    return db.as_user(world.ann.id) if who == "user" else db.as_service()


def claim(db: Person, limit: int | None = 10) -> list[UUID]:
    return [row.id for row in db.rows(CLAIM, [limit])]


def order_many(db: Person, project: UUID, number: int) -> None:
    db.run(
        "INSERT INTO work_tickets (task, agent_type, project_id, created_at)"
        " SELECT 'Task', 'research', %s, now() - n * interval '1 second' FROM generate_series(1, %s) AS n",
        [project, number],
    )


# States


@pytest.mark.rule("TP-19", "accepts")
@pytest.mark.rule("TP-19", "refuses")
@pytest.mark.parametrize("who", ["user", "service"])
@pytest.mark.parametrize(("start", "wanted"), list(product(STATES, STATES)))
def test_every_pair_of_states(db: Person, world: World, who: str, start: str, wanted: str) -> None:
    id, other = (imported(db, world, start) for _ in range(2))
    with by(db, world, who):
        if start == wanted or (start, wanted) in STEPS:
            move(db, id, wanted, **NEEDED.get(wanted, {}))
            assert ticket(db, id).status == wanted
        else:
            with db.refused(STEP_CHECK, "23514"):
                move(db, id, wanted, **NEEDED.get(wanted, {}))
            assert ticket(db, id).status == start
        assert ticket(db, other).status == start


@pytest.mark.rule("TP-19", "accepts")
@pytest.mark.parametrize("who", ["user", "service"])
@pytest.mark.parametrize("last", ["completed", "failed"])
def test_the_times_follow_the_state(db: Person, world: World, who: str, last: str) -> None:
    sent = dict.fromkeys(("started_at", "completed_at", "claimed_until"), "2001-01-01Z")
    with by(db, world, who):
        id = order(db, world.ann, **sent)
        row = ticket(db, id)
        assert (row.status, row.started_at, row.completed_at, row.claimed_until) == ("pending", None, None, None)
        # What a client says of started_at and completed_at does not count.
        move(db, id, "running", started_at="2001-01-01Z", completed_at="2001-01-01Z")
        row = ticket(db, id)
        assert row.completed_at is None
        kept = (
            f"SELECT started_at {JUST_NOW} AS now, claimed_until {TEN_MINUTES} AS later FROM work_tickets WHERE id = %s"
        )
        assert db.row(kept, [id]) == (True, True)
        move(db, id, last, **NEEDED.get(last, {}), **sent)
        done = ticket(db, id)
        assert (done.started_at, done.claimed_until) == (row.started_at, None)
        assert row.started_at < done.completed_at <= db.value("SELECT clock_timestamp()")
        # And then it stays so.
        db.run("UPDATE work_tickets SET started_at = NULL, completed_at = NULL, claimed_until = now(), task = 'New'")
        assert ticket(db, id) == done._replace(task="New")


@pytest.mark.rule("TP-19", "accepts")
def test_a_service_brings_tickets_with_their_times(db: Person, world: World) -> None:
    moment = db.value("SELECT '2001-01-01Z'::timestamptz")
    times = dict.fromkeys(("created_at", "started_at", "completed_at", "claimed_until"), moment)
    for status, kept in (
        ("pending", (moment, None, None, None)),
        ("running", (moment, moment, None, moment)),
        ("completed", (moment, moment, moment, None)),
        ("failed", (moment, moment, moment, None)),
    ):
        row = ticket(db, imported(db, world, status, **times))
        assert (row.created_at, row.started_at, row.completed_at, row.claimed_until) == kept
    # Those it does not know are filled in.
    row = ticket(db, imported(db, world, "completed"))
    assert row.created_at <= row.started_at <= row.completed_at
    assert db.value(
        f"SELECT claimed_until {TEN_MINUTES} FROM work_tickets WHERE id = %s", [imported(db, world, "running")]
    )


@pytest.mark.rule("TP-19", "refuses")
@pytest.mark.parametrize("status", STATES[1:])
def test_a_users_ticket_begins_pending(db: Person, world: World, status: str) -> None:
    with db.as_user(world.ann.id):
        with db.refused(STEP_CHECK, "42501"):
            order(db, world.ann, status=status, **NEEDED.get(status, {}))
        id = order(db, world.ann, created_at="2001-01-01Z")
        db.run("UPDATE work_tickets SET created_at = '2001-01-01Z'")
        assert ticket(db, id).created_at == db.value("SELECT now()")


@pytest.mark.rule("TP-19", "refuses")
@pytest.mark.parametrize("who", ["user", "service"])
@pytest.mark.parametrize("reason", [None, "", " \n", "\u200b"])
def test_a_ticket_fails_for_a_reason(db: Person, world: World, who: str, reason: str | None) -> None:
    id = imported(db, world, "running")
    with by(db, world, who):
        with db.refused("work_tickets_error_message_check", "23514"):
            move(db, id, "failed", error_message=reason)
        move(db, id, "failed", error_message="No answer")
        assert ticket(db, id).error_message == "No answer"
        with db.refused("work_tickets_error_message_check", "23514"):
            move(db, id, "failed", error_message=reason)


@pytest.mark.rule("TP-19", "refuses")
@pytest.mark.parametrize("status", ["pending", "running", "completed"])
def test_what_has_not_failed_has_no_reason(db: Person, world: World, status: str) -> None:
    id = imported(db, world, status)
    with db.as_service(), db.refused("work_tickets_error_message_check", "23514"):
        move(db, id, status, error_message="No answer")


@pytest.mark.rule("TP-19", "refuses")
@pytest.mark.parametrize(
    ("status", "column", "value", "rule"),
    [
        ("pending", "started_at", "now()", "started_at"),
        ("running", "started_at", "NULL", "started_at"),
        ("failed", "started_at", "NULL", "started_at"),
        ("running", "completed_at", "now()", "completed_at"),
        ("completed", "completed_at", "NULL", "completed_at"),
        ("failed", "completed_at", "NULL", "completed_at"),
    ],
)
def test_times_and_states_agree(db: Person, world: World, status: str, column: str, value: str, rule: str) -> None:
    id = imported(db, world, status)
    db.run("ALTER TABLE work_tickets DISABLE TRIGGER work_tickets_times")
    with db.refused(f"work_tickets_{rule}_check", "23514"):
        db.run(f"UPDATE work_tickets SET {column} = {value} WHERE id = %s", [id])


@pytest.mark.rule("TP-19", "accepts")
@pytest.mark.parametrize("agent", ["research", "content", "reporting"])
def test_there_are_three_agents(db: Person, world: World, agent: str) -> None:
    with db.as_user(world.ann.id):
        assert ticket(db, order(db, world.ann, agent_type=agent)).agent_type == agent


@pytest.mark.rule("TP-19", "refuses")
def test_a_ticket_is_complete(db: Person, world: World) -> None:
    with db.as_service():
        for agent in ("Research", "coding", ""):
            with db.refused("work_tickets_agent_type_check", "23514"):
                order(db, world.ann, agent_type=agent)
        for status in ("queued", "Pending", ""):
            with db.refused("work_tickets_status_check", "23514"):
                order(db, world.ann, status=status, started_at="2026-01-01Z")
        with db.refused("work_tickets_task_check", "23514"):
            order(db, world.ann, task=" \n")
    for column in ["task", "agent_type", "status", "parameters", "created_at"]:
        with db.refused(sqlstate="23502") as caught:
            order(db, world.ann, **{column: None})
        assert caught.value.diag.column_name == column
    with db.refused(sqlstate="23502") as caught:
        order(db, world.ann, project_id=None, owner_id=world.ann.id)
    assert caught.value.diag.column_name == "project_id"


@pytest.mark.rule("TP-19", "refuses")
def test_a_ticket_belongs_to_a_project_of_ones_own(db: Person, world: World) -> None:
    said = set()
    with db.as_user(world.ann.id):
        assert ticket(db, order(db, world.ann)).owner_id == world.ann.id
        for project in (world.bob.project, uuid4(), None):
            with db.refused("work_tickets_project_id_fkey", "23503") as caught:
                order(db, world.ann, project_id=project)
            said.add(str(caught.value))
        with db.refused("work_tickets_project_id_fkey", "23503"):
            db.run("UPDATE work_tickets SET project_id = %s", [world.bob.project])
    assert len(said) == 1
    with db.as_service():
        with db.refused("work_tickets_project_id_fkey", "23503"):
            order(db, world.bob, owner_id=world.ann.id)
        for setting in (f"owner_id = '{world.bob.id}'", f"id = '{uuid4()}'"):
            with db.refused("work_tickets_immutable_check", "23514"):
                db.run(f"UPDATE work_tickets SET {setting}")
        assert db.run("UPDATE work_tickets SET id = id, owner_id = owner_id") == 1
        assert db.run("DELETE FROM projects WHERE id = %s", [world.ann.project]) == 1
    assert db.rows("SELECT id FROM work_tickets") == []


# Taking tickets


@pytest.mark.rule("TP-19", "accepts")
def test_who_takes_a_ticket_has_it_for_ten_minutes(db: Person, world: World) -> None:
    id = order(db, world.ann)
    with db.as_service():
        (row,) = db.rows("SELECT * FROM claim_tickets()")
        assert (row.id, row.status, row.completed_at) == (id, "running", None)
        assert row == ticket(db, id)
        assert db.row(
            f"SELECT started_at {JUST_NOW} AS now, claimed_until {TEN_MINUTES} AS later FROM work_tickets"
        ) == (True, True)
        assert claim(db) == []
        move(db, id, "completed")
        assert claim(db) == []


@pytest.mark.rule("TP-19", "accepts")
@pytest.mark.rule("TP-19", "refuses")
def test_a_lease_that_has_run_out_is_given_anew(db: Person, world: World) -> None:
    id = order(db, world.ann)
    with db.as_service():
        assert claim(db) == [id]
        started = ticket(db, id).started_at
        for ends in ("now()", "now() + interval '1 second'"):
            db.run(f"UPDATE work_tickets SET claimed_until = {ends}")
            assert claim(db) == []
        db.run("UPDATE work_tickets SET claimed_until = now() - interval '1 microsecond'")
        assert claim(db) == [id]
        assert db.value(f"SELECT claimed_until {TEN_MINUTES} FROM work_tickets")
        assert ticket(db, id).started_at == started
        assert claim(db) == []
        # The first worker was slow, not dead: its work counts.
        move(db, id, "completed")
        assert claim(db) == []


@pytest.mark.rule("TP-19", "refuses")
@pytest.mark.parametrize("status", ["completed", "failed"])
def test_what_is_done_is_not_given_again(db: Person, world: World, status: str) -> None:
    imported(db, world, status, claimed_until="2001-01-01Z")
    with db.as_service():
        assert claim(db) == []


@pytest.mark.rule("TP-19", "accepts")
def test_the_oldest_tickets_are_taken_first(db: Person, world: World) -> None:
    ages = [order(db, world.ann, created_at=f"2026-01-0{day}Z") for day in (3, 1, 4, 2)]
    twins = sorted(order(db, world.bob, created_at="2025-01-01Z") for _ in range(3))
    expired = imported(db, world, "running", created_at="2026-01-01 12:00Z", claimed_until="2026-01-02Z")
    with db.as_service():
        assert claim(db, 2) == twins[:2]
        assert claim(db, 3) == [twins[2], ages[1], expired]
        assert claim(db, 100) == [ages[3], ages[0], ages[2]]


@pytest.mark.rule("TP-19", "accepts")
@pytest.mark.rule("TP-19", "refuses")
@pytest.mark.parametrize(("limit", "taken"), [(None, 10), (-1, 0), (0, 0), (1, 1), (1000, 1000), (1001, 1000)])
def test_at_most_1000_are_taken(db: Person, world: World, limit: int | None, taken: int) -> None:
    order_many(db, world.ann.project, 1001 if taken == 1000 else 11)
    with db.as_service():
        assert len(claim(db, limit)) == taken
        assert db.value("SELECT count(*) FROM work_tickets WHERE status = 'running'") == taken


@pytest.mark.rule("TP-19", "accepts")
def test_ten_are_taken_unless_told(db: Person, world: World) -> None:
    order_many(db, world.ann.project, 11)
    with db.as_service():
        assert len(db.rows("SELECT * FROM claim_tickets()")) == 10


@pytest.mark.rule("TP-19", "refuses")
def test_users_take_no_tickets(db: Person, world: World) -> None:
    order(db, world.ann)
    for acting in (db.as_user(world.ann.id), db.as_anon()):
        with acting, db.refused(sqlstate="42501"):
            claim(db)
    assert db.value("SELECT status FROM work_tickets") == "pending"


@pytest.mark.rule("TP-19", "accepts")
@pytest.mark.rule("TP-19", "refuses")
def test_twenty_workers_of_whom_one_dies_do_everything_once(connect: Callable[[], Person]) -> None:
    owner = connect()
    order_many(owner, build_world(owner).ann.project, 150)
    left = work_together(connect, claim, lambda worker, id: move(worker, id, "completed"), 150)
    assert owner.value("SELECT count(*) FROM work_tickets WHERE status = 'completed'") == 150 - left


@pytest.mark.rule("TP-19", "refuses")
def test_a_worker_passes_over_what_another_is_just_taking(connect: Callable[[], Person]) -> None:
    one, two = connect(), connect()
    order_many(one, build_world(one).ann.project, 5)
    with one.as_service(), two.as_service():
        two.run("SET lock_timeout = '1s'")
        one.run("BEGIN")
        first, second = claim(one, 3), claim(two, 3)
        one.run("COMMIT")
        assert (len(first), len(second), set(first) & set(second)) == (3, 2, set())
        assert claim(one) == claim(two) == []


@pytest.mark.rule("TP-19", "accepts")
def test_what_a_worker_took_before_it_died_is_given_when_its_time_is_over(connect: Callable[[], Person]) -> None:
    owner, victim = connect(), connect()
    order_many(owner, build_world(owner).ann.project, 3)
    held = claim(victim)
    kill(victim, by=owner)
    assert claim(owner) == []
    owner.run("UPDATE work_tickets SET claimed_until = now() - interval '1 second'")
    assert claim(owner) == held


# What is delivered

TEXT = {"output_type": "text", "content": "Done"}
FILE = {"output_type": "file", "file_url": "https://example.org/a.pdf", "file_format": "pdf"}


def deliver(db: Person, id: UUID | None, **columns: Any) -> UUID:
    return insert(db, "work_outputs", **{"title": "Report", "ticket_id": id, **columns})


@pytest.mark.rule("TP-20", "accepts")
@pytest.mark.parametrize("columns", [TEXT, FILE, {**TEXT, **FILE}, {**FILE, **TEXT}, {**FILE, "file_format": "pptx"}])
@pytest.mark.parametrize("who", ["user", "service"])
def test_an_output_is_text_or_a_file(db: Person, world: World, who: str, columns: dict[str, Any]) -> None:
    with by(db, world, who):
        id = deliver(db, order(db, world.ann), **columns)
        row = db.row("SELECT * FROM work_outputs WHERE id = %s", [id])
        assert columns.items() <= row._asdict().items()
        assert row.owner_id == world.ann.id


@pytest.mark.rule("TP-20", "refuses")
@pytest.mark.parametrize(
    ("columns", "column", "rule"),
    [
        (TEXT, "content", "work_outputs_text_check"),
        (FILE, "file_url", "work_outputs_file_check"),
        (FILE, "file_format", "work_outputs_file_check"),
    ],
)
@pytest.mark.parametrize("value", [None, "", " \n"])
def test_what_an_output_cannot_be_without(
    db: Person, world: World, columns: dict[str, Any], column: str, rule: str, value: str | None
) -> None:
    id = order(db, world.ann)
    # What the other kind needs does not help.
    spare = {name: text for name, text in {**TEXT, **FILE}.items() if name not in columns}
    for given in (columns, {**spare, **columns}):
        with db.as_user(world.ann.id), db.refused(rule, "23514"):
            deliver(db, id, **{**given, column: value})


@pytest.mark.rule("TP-20", "refuses")
def test_an_output_is_complete(db: Person, world: World) -> None:
    id = order(db, world.ann)
    for kind in ("Text", "video", ""):
        with db.refused("work_outputs_output_type_check", "23514"):
            deliver(db, id, **{**TEXT, **FILE, "output_type": kind})
    with db.refused("work_outputs_title_check", "23514"):
        deliver(db, id, **TEXT, title=" ")
    for column in ("title", "output_type", "created_at"):
        with db.refused(sqlstate="23502") as caught:
            deliver(db, id, **{**TEXT, column: None})
        assert caught.value.diag.column_name == column
    with db.refused(sqlstate="23502") as caught:
        deliver(db, None, **TEXT, owner_id=world.ann.id)
    assert caught.value.diag.column_name == "ticket_id"


@pytest.mark.rule("TP-20", "refuses")
def test_an_output_is_for_a_ticket_of_ones_own(db: Person, world: World) -> None:
    mine, theirs = order(db, world.ann), order(db, world.bob)
    said = set()
    with db.as_user(world.ann.id):
        for id in (theirs, uuid4(), None):
            with db.refused("work_outputs_ticket_id_fkey", "23503") as caught:
                deliver(db, id, **TEXT)
            said.add(str(caught.value))
    assert len(said) == 1
    with db.as_service(), db.refused("work_outputs_ticket_id_fkey", "23503"):
        deliver(db, mine, **TEXT, owner_id=world.bob.id)


@pytest.mark.rule("TP-20", "refuses")
def test_an_output_is_corrected_by_a_service_only_and_stays_with_its_ticket(db: Person, world: World) -> None:
    ticket_id = order(db, world.ann)
    with db.as_user(world.ann.id):
        id = deliver(db, ticket_id, **TEXT, created_at="2001-01-01Z")
        assert db.value("SELECT created_at = now() FROM work_outputs")
        for sql in ("UPDATE work_outputs SET title = 'New'", "DELETE FROM work_outputs"):
            with db.refused(sqlstate="42501"):
                db.run(sql)
    with db.as_service():
        for setting in (f"ticket_id = '{uuid4()}'", f"owner_id = '{world.bob.id}'", f"id = '{uuid4()}'"):
            with db.refused("work_outputs_immutable_check", "23514"):
                db.run(f"UPDATE work_outputs SET {setting}")
        same = "title = 'New', ticket_id = ticket_id, owner_id = owner_id, id = id, created_at = '2001-01-01Z'"
        assert db.run(f"UPDATE work_outputs SET {same}") == 1
        assert db.row("SELECT id, title, created_at = now() AS kept FROM work_outputs") == (id, "New", True)
        assert db.run("DELETE FROM work_tickets") == 1
        assert db.rows("SELECT id FROM work_outputs") == []
