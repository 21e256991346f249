"""Chat sessions: their states, which one somebody is given, and the numbers of what is said in them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from itertools import product
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.types.json import Jsonb

from tests.people import Person, at_once, blocked, insert
from tests.thinking_partner.world import World, build_world, open_session

STATES = ["active", "completed", "archived"]
STEPS = {("active", "completed"), ("completed", "archived"), ("active", "archived")}
STEP_CHECK = "chat_sessions_status_transition_check"
OPEN = "SELECT * FROM get_or_create_chat_session(%s, %s)"
OPEN_WITH = "SELECT * FROM get_or_create_chat_session(%s, %s, %s, %s)"
APPEND = "SELECT * FROM append_session_message(%s, %s, %s)"
# The beginning of this day, whatever the session's time zone is.
TODAY = "(now() AT TIME ZONE 'UTC')::date::timestamp AT TIME ZONE 'UTC'"


def session(db: Person, id: UUID) -> Any:
    return db.row("SELECT * FROM chat_sessions WHERE id = %s", [id])


def move(db: Person, id: UUID, status: str) -> None:
    assert db.run("UPDATE chat_sessions SET status = %s WHERE id = %s", [status, id]) == 1


def by(db: Person, world: World, who: str) -> AbstractContextManager[Person]:
    return db.as_user(world.ann.id) if who == "user" else db.as_service()


def numbers(db: Person, id: UUID) -> list[int]:
    rows = db.rows("SELECT sequence_number FROM session_messages WHERE session_id = %s ORDER BY 1", [id])
    return [row.sequence_number for row in rows]


# States


@pytest.mark.rule("TP-08", "accepts")
@pytest.mark.rule("TP-08", "refuses")
@pytest.mark.parametrize("who", ["user", "service"])
@pytest.mark.parametrize(("start", "wanted"), list(product(STATES, STATES)))
def test_every_pair_of_states(db: Person, world: World, who: str, start: str, wanted: str) -> None:
    with db.as_service():
        id, other = (open_session(db, world.ann, status=start) for _ in range(2))
    with by(db, world, who):
        if start == wanted or (start, wanted) in STEPS:
            move(db, id, wanted)
            assert session(db, id).status == wanted
        else:
            with db.refused(STEP_CHECK, "23514"):
                move(db, id, wanted)
            assert session(db, id).status == start
        assert session(db, other).status == start


@pytest.mark.rule("TP-08", "accepts")
@pytest.mark.parametrize("wanted", ["completed", "archived"])
@pytest.mark.parametrize("who", ["user", "service"])
def test_it_ends_when_it_leaves_active(db: Person, world: World, who: str, wanted: str) -> None:
    with by(db, world, who):
        id = open_session(db, world.ann)
        assert session(db, id).ended_at is None
        before = db.value("SELECT clock_timestamp()")
        # What a client says about it does not count.
        db.run("UPDATE chat_sessions SET status = %s, ended_at = '2001-01-01Z' WHERE id = %s", [wanted, id])
        assert before <= session(db, id).ended_at <= db.value("SELECT clock_timestamp()")


@pytest.mark.rule("TP-08", "accepts")
@pytest.mark.parametrize("change", ["status = 'archived'", "ended_at = NULL", "ended_at = now() + interval '1 day'"])
@pytest.mark.parametrize("who", ["user", "service"])
def test_the_end_stays_what_it_was(db: Person, world: World, who: str, change: str) -> None:
    with db.as_service():
        id = open_session(db, world.ann, status="completed", started_at="2026-01-01Z", ended_at="2026-01-02Z")
        ended = session(db, id).ended_at
    with by(db, world, who):
        assert db.run(f"UPDATE chat_sessions SET {change} WHERE id = %s", [id]) == 1
        assert session(db, id).ended_at == ended


@pytest.mark.rule("TP-08", "refuses")
@pytest.mark.parametrize("who", ["user", "service"])
def test_an_active_session_has_no_end(db: Person, world: World, who: str) -> None:
    with by(db, world, who):
        id = open_session(db, world.ann, ended_at="2100-01-01Z")
        assert session(db, id).ended_at is None
        db.run("UPDATE chat_sessions SET ended_at = '2100-01-01Z' WHERE id = %s", [id])
        assert session(db, id).ended_at is None


@pytest.mark.rule("TP-08", "accepts")
def test_a_session_from_the_future_ends_when_it_starts(db: Person, world: World) -> None:
    with db.as_service():
        id = open_session(db, world.ann, started_at=db.value("SELECT now() + interval '1 hour'"))
        move(db, id, "completed")
        assert session(db, id).ended_at == session(db, id).started_at
        imported = open_session(db, world.ann, started_at="2100-01-01Z", status="archived")
        assert session(db, imported).ended_at == session(db, imported).started_at


@pytest.mark.rule("TP-08", "refuses")
def test_no_session_ends_before_it_starts(db: Person, world: World) -> None:
    with db.as_service():
        times = {"status": "completed", "started_at": "2026-01-02 10:00Z"}
        with db.refused("chat_sessions_ended_at_check", "23514"):
            open_session(db, world.ann, ended_at="2026-01-02 09:59:59.999999Z", **times)
        id = open_session(db, world.ann, ended_at="2026-01-02 10:00Z", **times)
        assert session(db, id).ended_at == session(db, id).started_at


@pytest.mark.rule("TP-08", "refuses")
@pytest.mark.parametrize(("status", "ended"), [("active", "'2100-01-01Z'"), ("completed", "NULL")])
def test_the_end_and_the_state_agree(db: Person, world: World, status: str, ended: str) -> None:
    id = open_session(db, world.ann, status=status)
    db.run("ALTER TABLE chat_sessions DISABLE TRIGGER chat_sessions_times")
    with db.refused("chat_sessions_ended_at_check", "23514"):
        db.run(f"UPDATE chat_sessions SET ended_at = {ended} WHERE id = %s", [id])


@pytest.mark.rule("TP-08", "refuses")
@pytest.mark.parametrize("status", ["completed", "archived"])
def test_only_a_service_inserts_a_session_that_has_ended(db: Person, world: World, status: str) -> None:
    with db.as_user(world.ann.id), db.refused(STEP_CHECK, "42501"):
        open_session(db, world.ann, status=status)
    with db.as_service():
        before = db.value("SELECT clock_timestamp()")
        id = open_session(db, world.ann, status=status)
        assert before <= session(db, id).ended_at <= db.value("SELECT clock_timestamp()")
        id = open_session(db, world.ann, status=status, started_at="2026-01-01Z", ended_at="2026-01-02Z")
        assert session(db, id).ended_at == db.value("SELECT '2026-01-02Z'::timestamptz")


@pytest.mark.rule("TP-08", "refuses")
@pytest.mark.parametrize("status", ["paused", "Active", ""])
def test_there_are_no_other_states(db: Person, world: World, status: str) -> None:
    id = open_session(db, world.ann)
    with db.as_service():
        with db.refused("chat_sessions_status_check", "23514"):
            open_session(db, world.ann, status=status)
        with db.refused(STEP_CHECK, "23514"):
            move(db, id, status)


@pytest.mark.rule("TP-08", "accepts")
@pytest.mark.parametrize("status", STATES)
def test_a_client_may_send_a_whole_session_back(db: Person, world: World, status: str) -> None:
    ended = None if status == "active" else "2026-01-02Z"
    with db.as_service():
        id = open_session(db, world.ann, status=status, started_at="2026-01-01Z", ended_at=ended)
    with db.as_user(world.ann.id):
        before = session(db, id)
        row = {**before._asdict(), "context_metadata": Jsonb({"model": "m"})}
        names, marks = ", ".join(row), ", ".join(f"%({name})s" for name in row)
        changes = ", ".join(f"{name} = excluded.{name}" for name in row)
        upsert = f"INSERT INTO chat_sessions ({names}) VALUES ({marks}) ON CONFLICT (id) DO UPDATE SET {changes}"
        assert db.run(upsert, row) == 1
        after = session(db, id)
        assert after.context_metadata == {"model": "m"}
        assert after._replace(context_metadata={}, updated_at=None) == before._replace(updated_at=None)


@pytest.mark.rule("TP-08", "refuses")
@pytest.mark.parametrize("who", ["user", "service"])
def test_a_session_keeps_its_user_and_its_scope(db: Person, world: World, who: str) -> None:
    id = open_session(db, world.ann, scope="conversation")
    with by(db, world, who):
        for change in (f"id = '{uuid4()}'", f"user_id = '{world.bob.id}'", "scope = 'daily'"):
            with db.refused("chat_sessions_immutable_check", "23514"):
                db.run(f"UPDATE chat_sessions SET {change} WHERE id = %s", [id])
        same = "UPDATE chat_sessions SET id = id, user_id = user_id, scope = scope WHERE id = %s"
        assert db.run(same, [id]) == 1


@pytest.mark.rule("TP-08", "accepts")
@pytest.mark.rule("TP-08", "refuses")
def test_when_it_started_is_for_the_database_to_say(db: Person, world: World) -> None:
    times = dict.fromkeys(("started_at", "created_at", "updated_at"), "2001-01-01Z")
    with db.as_user(world.ann.id):
        row = session(db, open_session(db, world.ann, **times))
        assert row.started_at == row.created_at == row.updated_at == db.value("SELECT now()")
        db.run("UPDATE chat_sessions SET started_at = '2001-01-01Z', created_at = '2001-01-01Z'")
        assert session(db, row.id) == row
    with db.as_service():
        row = session(db, open_session(db, world.ann, **times))
        assert row.started_at == row.created_at == row.updated_at == db.value("SELECT '2001-01-01Z'::timestamptz")


@pytest.mark.rule("TP-08", "refuses")
def test_a_session_is_complete(db: Person, world: World) -> None:
    columns = "user_id session_type status started_at context_metadata created_at updated_at scope"
    for column in columns.split():
        with db.refused(sqlstate="23502") as caught:
            insert(db, "chat_sessions", **{"user_id": world.ann.id, column: None})
        assert caught.value.diag.column_name == column
    assert session(db, open_session(db, world.ann, session_type="é" * 200)).session_type == "é" * 200
    for column, value in (("session_type", " \n"), ("session_type", "x" * 201), ("scope", "weekly")):
        with db.refused(f"chat_sessions_{column}_check", "23514"):
            open_session(db, world.ann, **{column: value})
    with db.refused("chat_sessions_user_id_fkey", "23503"):
        insert(db, "chat_sessions", user_id=uuid4())


# Which session somebody is given


@pytest.mark.rule("TP-09", "accepts")
@pytest.mark.parametrize("who", ["user", "service"])
def test_a_daily_session_is_made_once_and_given_out_again(db: Person, world: World, who: str) -> None:
    with by(db, world, who):
        made = db.row(OPEN, [world.ann.id, world.ann.project])
        assert (made.user_id, made.project_id) == (world.ann.id, world.ann.project)
        assert (made.session_type, made.status, made.scope) == ("thinking_partner", "active", "daily")
        assert made.started_at == db.value("SELECT now()")
        assert db.row(OPEN, [world.ann.id, world.ann.project]) == made
        assert db.row(OPEN_WITH, [world.ann.id, world.ann.project, "thinking_partner", "daily"]) == made
        assert db.rows("SELECT * FROM chat_sessions") == [made]


@pytest.mark.rule("TP-09", "accepts")
def test_users_projects_and_types_have_sessions_of_their_own(db: Person, world: World) -> None:
    second = insert(db, "projects", name="Second", workspace_id=world.ann.workspace)
    calls = [
        (world.ann.id, project, kind, "daily")
        for project, kind in product((None, world.ann.project, second), ("thinking_partner", "review"))
    ]
    calls.append((world.bob.id, None, "thinking_partner", "daily"))
    with db.as_service():
        made = [db.row(OPEN_WITH, call) for call in calls]
        assert [(row.user_id, row.project_id, row.session_type, row.scope) for row in made] == calls
        assert len({row.id for row in made}) == len(calls)
        assert [db.row(OPEN_WITH, call) for call in calls] == made


@pytest.mark.rule("TP-09", "refuses")
@pytest.mark.parametrize("status", ["completed", "archived"])
@pytest.mark.parametrize("scope", ["daily", "project"])
def test_a_session_that_has_ended_is_not_given_out_again(db: Person, world: World, status: str, scope: str) -> None:
    with db.as_user(world.ann.id):
        call = [world.ann.id, None, "thinking_partner", scope]
        first = db.row(OPEN_WITH, call)
        move(db, first.id, status)
        second = db.row(OPEN_WITH, call)
        assert second.id != first.id
        assert db.row(OPEN_WITH, call) == second


@pytest.mark.rule("TP-09", "accepts")
def test_conversations_are_always_new_and_stand_beside_the_daily_session(db: Person, world: World) -> None:
    with db.as_user(world.ann.id):
        conversation = [world.ann.id, None, "thinking_partner", "conversation"]
        first = db.row(OPEN_WITH, conversation)
        daily = db.row(OPEN, [world.ann.id, None])
        second = db.row(OPEN_WITH, conversation)
        assert len({first.id, daily.id, second.id}) == 3
        assert (first.scope, daily.scope, second.scope) == ("conversation", "daily", "conversation")
        assert db.row(OPEN, [world.ann.id, None]) == daily
        assert {row.status for row in db.rows("SELECT status FROM chat_sessions")} == {"active"}


ZONES = {
    "utc": "UTC",
    "a day ahead": "Pacific/Kiritimati",
    "a day behind": "Pacific/Pago_Pago",
    # Clocks change at this day's noon, so that a day of the session's zone has 23 or 25 hours.
    "a short day": "XXX0YYY,{today}/12,{later}/12",
    "a long day": "XXX0YYY,{later}/12,{today}/13",
}


@pytest.mark.rule("TP-09", "accepts")
@pytest.mark.rule("TP-09", "refuses")
@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize(
    ("started", "found"),
    [
        (f"{TODAY}", True),
        (f"{TODAY} - interval '1 microsecond'", False),
        (f"{TODAY} + interval '24 hours' - interval '1 microsecond'", True),
        (f"{TODAY} + interval '24 hours'", False),
    ],
    ids=["first", "before", "last", "after"],
)
def test_a_day_is_a_day_of_utc(db: Person, world: World, zone: str, started: str, found: bool) -> None:
    id = open_session(db, world.ann, scope="daily", started_at=db.value(f"SELECT {started}"))
    today = db.value("SELECT extract(doy FROM now() AT TIME ZONE 'UTC')::integer - 1")
    db.run(f"SET LOCAL TIME ZONE '{ZONES[zone].format(today=today, later=(today + 60) % 365)}'")
    with db.as_user(world.ann.id):
        given = db.row(OPEN, [world.ann.id, None])
        assert (given.id == id) is found
        assert db.row(OPEN, [world.ann.id, None]) == given


@pytest.mark.rule("TP-09", "refuses")
@pytest.mark.parametrize("who", ["user", "service"])
@pytest.mark.parametrize("scope", ["daily", "project"])
@pytest.mark.parametrize("scoped", [False, True], ids=["everywhere", "in a project"])
def test_a_second_active_session_is_not_made_by_hand_either(
    db: Person, world: World, scoped: bool, scope: str, who: str
) -> None:
    project = world.ann.project if scoped else None
    with by(db, world, who):
        first = db.row(OPEN_WITH, [world.ann.id, project, "thinking_partner", scope])
        with db.refused("chat_sessions_active_key", "23505"):
            open_session(db, world.ann, project_id=project, scope=scope)
        move(db, first.id, "completed")
        second = open_session(db, world.ann, project_id=project, scope=scope)
        assert db.row(OPEN_WITH, [world.ann.id, project, "thinking_partner", scope]).id == second


@pytest.mark.rule("TP-09", "accepts")
def test_other_active_sessions_are_made_by_hand(db: Person, world: World) -> None:
    with db.as_service():
        for scope in ("daily", "project"):
            open_session(db, world.ann, scope=scope)
            open_session(db, world.ann, scope=scope, session_type="review")
            open_session(db, world.ann, scope=scope, project_id=world.ann.project)
            open_session(db, world.bob, scope=scope)
            open_session(db, world.ann, scope=scope, status="archived")
        open_session(db, world.ann, scope="daily", started_at=db.value(f"SELECT {TODAY} - interval '1 microsecond'"))
        for _ in range(2):
            assert session(db, open_session(db, world.ann)).scope == "conversation"


@pytest.mark.rule("TP-09", "accepts")
def test_the_session_of_a_project_is_its_latest_active_one(db: Person, world: World) -> None:
    second = insert(db, "projects", name="Second", workspace_id=world.ann.workspace)
    call = [world.ann.id, world.ann.project, "thinking_partner", "project"]
    with db.as_service():
        for number, columns in enumerate(
            (
                {"project_id": world.ann.project, "status": "archived"},
                {"project_id": second},
                {"project_id": None},
                {"project_id": world.ann.project, "session_type": "review"},
            )
        ):
            open_session(db, world.ann, started_at=db.value("SELECT now() + %s * interval '1 s'", [number]), **columns)
        made = db.row(OPEN_WITH, call)
        assert (made.project_id, made.scope, made.status) == (world.ann.project, "project", "active")
        assert db.row(OPEN_WITH, call) == made
        # It may be of any day and any scope.
        for scope, age in (("conversation", -1), ("daily", -2)):
            started = db.value("SELECT now() - %s * interval '1 day'", [age])
            later = open_session(db, world.ann, project_id=world.ann.project, scope=scope, started_at=started)
            assert db.row(OPEN_WITH, call).id == later
        db.run("UPDATE chat_sessions SET status = 'completed' WHERE started_at > now()")
        assert db.row(OPEN_WITH, call) == made
        # Of scope project, it is nobody's daily one.
        assert db.row(OPEN, [world.ann.id, world.ann.project]).id != made.id


@pytest.mark.rule("TP-09", "accepts")
def test_the_session_of_a_project_outlives_the_day(db: Person, world: World) -> None:
    with db.as_service():
        id = open_session(db, world.ann, project_id=world.ann.project, scope="project", started_at="2026-01-01Z")
    with db.as_user(world.ann.id):
        assert db.row(OPEN_WITH, [world.ann.id, world.ann.project, "thinking_partner", "project"]).id == id
        # Without a project likewise.
        first = db.row(OPEN_WITH, [world.ann.id, None, "thinking_partner", "project"])
        assert first.project_id is None
        assert db.row(OPEN_WITH, [world.ann.id, None, "thinking_partner", "project"]) == first


@pytest.mark.rule("TP-09", "refuses")
@pytest.mark.parametrize("scope", ["weekly", "Daily", "", None])
@pytest.mark.parametrize("who", ["user", "service"])
def test_another_scope_is_refused(db: Person, world: World, who: str, scope: str | None) -> None:
    with by(db, world, who), db.refused("chat_sessions_scope_check", "23514") as caught:
        db.run(OPEN_WITH, [world.ann.id, None, "thinking_partner", scope])
    assert "conversation" in caught.value.diag.message_hint
    assert db.rows("SELECT id FROM chat_sessions") == []


@pytest.mark.rule("TP-09", "refuses")
@pytest.mark.parametrize("scope", ["daily", "project", "conversation"])
def test_a_session_is_opened_in_a_project_of_ones_own(db: Person, world: World, scope: str) -> None:
    said = set()
    with db.as_user(world.ann.id):
        for project in (world.bob.project, uuid4()):
            with db.refused("chat_sessions_project_id_fkey", "23503") as caught:
                db.run(OPEN_WITH, [world.ann.id, project, "thinking_partner", scope])
            said.add(caught.value.diag.message_primary)
    assert len(said) == 1
    with db.as_service(), db.refused("chat_sessions_project_id_fkey", "23503"):
        db.run(OPEN_WITH, [world.ann.id, world.bob.project, "thinking_partner", scope])


@pytest.mark.rule("TP-09", "refuses")
@pytest.mark.parametrize("scope", ["daily", "project", "conversation"])
def test_a_session_has_a_type(db: Person, world: World, scope: str) -> None:
    with db.as_user(world.ann.id):
        with db.refused("chat_sessions_session_type_check", "23514"):
            db.run(OPEN_WITH, [world.ann.id, None, " ", scope])
        with db.refused("chat_sessions_session_type_check", "23514"):
            db.run(OPEN_WITH, [world.ann.id, None, "é" * 201, scope])
        with db.refused(sqlstate="23502"):
            db.run(OPEN_WITH, [world.ann.id, None, None, scope])


@pytest.mark.rule("TP-12", "refuses")
@pytest.mark.parametrize("scope", ["daily", "project", "conversation"])
def test_nobody_opens_a_session_for_somebody_else(db: Person, world: World, scope: str) -> None:
    open_session(db, world.bob)
    before = db.rows("SELECT * FROM chat_sessions")
    said = set()
    with db.as_user(world.ann.id):
        for user in (world.bob.id, uuid4(), None):
            with db.refused("chat_sessions_user_check", "42501") as caught:
                db.run(OPEN_WITH, [user, None, "thinking_partner", scope])
            said.add(caught.value.diag.message_primary)
    assert len(said) == 1
    with db.as_anon():
        for user in (world.bob.id, None):
            with db.refused(sqlstate="42501"):
                db.run(OPEN_WITH, [user, None, "thinking_partner", scope])
    with db.as_service():
        with db.refused("chat_sessions_user_check", "42501"):
            db.run(OPEN_WITH, [None, None, "thinking_partner", scope])
        with db.refused("chat_sessions_user_id_fkey", "23503"):
            db.run(OPEN_WITH, [uuid4(), None, "thinking_partner", scope])
    assert db.rows("SELECT * FROM chat_sessions") == before


@pytest.mark.rule("TP-12", "accepts")
def test_a_service_opens_sessions_and_speaks_for_anybody(db: Person, world: World) -> None:
    with db.as_service():
        for user in (world.ann, world.bob):
            id = db.row(OPEN, [user.id, user.project]).id
            assert db.row(APPEND, [id, "assistant", "Hello"]).user_id == user.id
    with db.as_user(world.bob.id):
        assert db.row(OPEN, [world.bob.id, world.bob.project]).id == id
        assert db.row(APPEND, [id, "user", "Hi"]).sequence_number == 2


# Many who ask at once


@pytest.mark.rule("TP-09", "accepts")
@pytest.mark.parametrize("scope", ["daily", "project", "conversation"])
def test_fifty_who_ask_at_once(connect: Callable[[], Person], scope: str) -> None:
    owner = connect()
    world = build_world(owner)
    with ExitStack() as stack:
        people = [stack.enter_context(connect().as_user(world.ann.id)) for _ in range(50)]
        given = at_once(people, OPEN_WITH, [world.ann.id, world.ann.project, "thinking_partner", scope])
    made = {row.id for row in owner.rows("SELECT id FROM chat_sessions")}
    assert {row.id for row in given} == made
    assert len(made) == (50 if scope == "conversation" else 1)


@pytest.mark.rule("TP-09", "refuses")
@pytest.mark.parametrize("end", ["COMMIT", "ROLLBACK"])
@pytest.mark.parametrize("scope", ["daily", "project"])
def test_who_asks_meanwhile_waits_and_makes_no_second_one(connect: Callable[[], Person], scope: str, end: str) -> None:
    one, two = connect(), connect()
    world = build_world(one)
    call = [world.ann.id, None, "thinking_partner", scope]
    with one.as_user(world.ann.id), two.as_user(world.ann.id):
        one.run("BEGIN")
        first = one.row(OPEN_WITH, call)
        with blocked(two, one, OPEN_WITH, call) as asked:
            one.run(end)
        assert asked.result() == 1
        second = two.row(OPEN_WITH, call)
        assert (second == first) is (end == "COMMIT")
        assert two.rows("SELECT * FROM chat_sessions") == [second]


@pytest.mark.rule("TP-09", "refuses")
@pytest.mark.parametrize("level", ["REPEATABLE READ", "SERIALIZABLE"])
@pytest.mark.parametrize("scope", ["daily", "project"])
def test_who_cannot_see_the_session_made_meanwhile_makes_no_second_one(
    connect: Callable[[], Person], scope: str, level: str
) -> None:
    one, two = connect(), connect()
    world = build_world(one)
    call = [world.ann.id, None, "thinking_partner", scope]
    with one.as_user(world.ann.id), two.as_user(world.ann.id):
        two.run(f"BEGIN ISOLATION LEVEL {level}")
        assert two.rows("SELECT * FROM chat_sessions") == []
        first = one.row(OPEN_WITH, call)
        with pytest.raises(psycopg.errors.SerializationFailure):
            two.run(OPEN_WITH, call)
        two.run("ROLLBACK")
        assert two.row(OPEN_WITH, call) == first


@pytest.mark.rule("TP-09", "accepts")
def test_others_do_not_wait(connect: Callable[[], Person]) -> None:
    one, two = connect(), connect()
    world = build_world(one)
    call = [world.ann.id, None, "thinking_partner", "daily"]
    calls = [
        [world.bob.id, None, "thinking_partner", "daily"],
        [world.ann.id, world.ann.project, "thinking_partner", "daily"],
        [world.ann.id, None, "review", "daily"],
        [world.ann.id, None, "thinking_partner", "conversation"],
    ]
    two.run("SET lock_timeout = '1s'")
    with one.as_service(), two.as_service():
        one.run("BEGIN")
        made = {one.row(OPEN_WITH, call).id}
        made.update(two.row(OPEN_WITH, other).id for other in calls)
        assert len(made) == 5
        with two.refused(sqlstate="55P03"):
            two.run(OPEN_WITH, call)
        one.run("COMMIT")


# What is said in a session


@pytest.mark.rule("TP-10", "accepts")
@pytest.mark.parametrize("who", ["user", "service"])
def test_messages_are_numbered_from_1(db: Person, world: World, who: str) -> None:
    id, other = open_session(db, world.ann), open_session(db, world.ann)
    with by(db, world, who):
        for number, role in enumerate(("user", "assistant", "system", "user"), 1):
            said = db.row(
                "SELECT * FROM append_session_message(%s, %s, %s, %s)",
                [id, role, f"No. {number}", Jsonb({"n": number})],
            )
            assert (said.session_id, said.user_id, said.sequence_number) == (id, world.ann.id, number)
            assert (said.role, said.content, said.metadata) == (role, f"No. {number}", {"n": number})
            assert db.row("SELECT * FROM session_messages WHERE id = %s", [said.id]) == said
        assert db.row(APPEND, [other, "user", "Elsewhere"]).sequence_number == 1
        assert (numbers(db, id), numbers(db, other)) == ([1, 2, 3, 4], [1])


@pytest.mark.rule("TP-10", "accepts")
def test_a_message_needs_no_metadata(db: Person, world: World) -> None:
    id = open_session(db, world.ann)
    with db.as_user(world.ann.id):
        assert db.row(APPEND, [id, "user", "Hi"]).metadata == {}
        assert db.row("SELECT * FROM append_session_message(%s, 'user', 'Hi', NULL)", [id]).metadata == {}


@pytest.mark.rule("TP-10", "accepts")
def test_appending_moves_the_session(db: Person, world: World) -> None:
    moment = "2026-01-01Z"
    id, other = (open_session(db, world.ann, updated_at=moment) for _ in range(2))
    with db.as_user(world.ann.id):
        db.run(APPEND, [id, "user", "Hi"])
        assert session(db, id).updated_at == db.value("SELECT now()")
        assert session(db, other).updated_at == db.value("SELECT %s::timestamptz", [moment])


@pytest.mark.rule("TP-10", "refuses")
@pytest.mark.parametrize("status", ["completed", "archived"])
@pytest.mark.parametrize("who", ["user", "service"])
def test_nothing_is_appended_to_a_session_that_has_ended(db: Person, world: World, who: str, status: str) -> None:
    id = open_session(db, world.ann, status=status, updated_at="2026-01-01Z")
    before = session(db, id)
    with by(db, world, who), db.refused("session_messages_session_active_check", "23514") as caught:
        db.run(APPEND, [id, "user", "Hi"])
    assert status in caught.value.diag.message_primary
    assert (numbers(db, id), session(db, id)) == ([], before)


@pytest.mark.rule("TP-10", "refuses")
def test_a_message_has_a_known_role_and_visible_content(db: Person, world: World) -> None:
    id = open_session(db, world.ann)
    with db.as_user(world.ann.id):
        for role in ("tool", "User", ""):
            with db.refused("session_messages_role_check", "23514"):
                db.run(APPEND, [id, role, "Hi"])
        for content in ("", " \n\t", "\u200b"):
            with db.refused("session_messages_content_check", "23514"):
                db.run(APPEND, [id, "user", content])
        for role, content in ((None, "Hi"), ("user", None)):
            with db.refused(sqlstate="23502"):
                db.run(APPEND, [id, role, content])
        # What was refused took no number.
        assert db.row(APPEND, [id, "user", "Hi"]).sequence_number == 1


@pytest.mark.rule("TP-12", "refuses")
def test_anothers_session_is_like_a_missing_one(db: Person, world: World) -> None:
    theirs, missing = open_session(db, world.bob), uuid4()
    before = session(db, theirs)
    said = set()
    with db.as_user(world.ann.id):
        for id in (theirs, missing):
            with db.refused("session_messages_session_id_fkey", "P0002") as caught:
                db.run(APPEND, [id, "user", "Hi"])
            diag = caught.value.diag
            said.add((diag.message_primary.replace(str(id), "?"), diag.message_detail, diag.message_hint))
    assert len(said) == 1
    with db.as_anon(), db.refused(sqlstate="42501"):
        db.run(APPEND, [theirs, "user", "Hi"])
    with db.as_service():
        for id in (missing, None):
            with db.refused("session_messages_session_id_fkey", "P0002"):
                db.run(APPEND, [id, "user", "Hi"])
    assert (numbers(db, theirs), session(db, theirs)) == ([], before)


@pytest.mark.rule("TP-10", "accepts")
def test_fifty_who_speak_at_once_get_fifty_numbers(connect: Callable[[], Person]) -> None:
    owner = connect()
    world = build_world(owner)
    id = open_session(owner, world.ann)
    with ExitStack() as stack:
        people = [stack.enter_context(connect().as_user(world.ann.id)) for _ in range(50)]
        said = at_once(people, APPEND, [id, "user", "Hi"])
    assert sorted(row.sequence_number for row in said) == numbers(owner, id) == list(range(1, 51))


@pytest.mark.rule("TP-10", "accepts")
def test_who_speaks_next_waits_and_leaves_no_gap(connect: Callable[[], Person]) -> None:
    one, two = connect(), connect()
    world = build_world(one)
    id, other = open_session(one, world.ann), open_session(one, world.ann)
    with one.as_user(world.ann.id), two.as_user(world.ann.id):
        for end, expected in (("ROLLBACK", [1]), ("COMMIT", [1, 2, 3])):
            one.run("BEGIN")
            one.run(APPEND, [id, "user", "Hi"])
            # Nobody else waits.
            two.run(APPEND, [other, "user", "Hi"])
            with blocked(two, one, APPEND, [id, "user", "Hi"]) as said:
                one.run(end)
            assert said.result() == 1
            assert numbers(one, id) == expected


@pytest.mark.rule("TP-10", "refuses")
@pytest.mark.parametrize("wanted", ["completed", "archived"])
def test_who_speaks_while_the_session_is_ended_is_refused(connect: Callable[[], Person], wanted: str) -> None:
    one, two = connect(), connect()
    world = build_world(one)
    id = open_session(one, world.ann)
    with one.as_user(world.ann.id), two.as_user(world.ann.id):
        one.run("BEGIN")
        move(one, id, wanted)
        with blocked(two, one, APPEND, [id, "user", "Hi"]) as said:
            one.run("COMMIT")
        with two.refused("session_messages_session_active_check", "23514"):
            said.result()
        assert numbers(one, id) == []


@pytest.mark.rule("TP-10", "accepts")
def test_a_session_is_ended_after_what_was_just_being_said(connect: Callable[[], Person]) -> None:
    one, two = connect(), connect()
    world = build_world(one)
    id = open_session(one, world.ann)
    with one.as_user(world.ann.id), two.as_user(world.ann.id):
        one.run("BEGIN")
        said = one.row(APPEND, [id, "user", "Hi"])
        with blocked(two, one, "UPDATE chat_sessions SET status = 'completed' WHERE id = %s", [id]) as ended:
            one.run("COMMIT")
        assert ended.result() == 1
        row = session(one, id)
        assert (row.status, numbers(one, id)) == ("completed", [1])
        assert row.ended_at > said.created_at


@pytest.mark.rule("TP-10", "refuses")
def test_who_speaks_while_the_session_is_deleted_finds_none(connect: Callable[[], Person]) -> None:
    one, two = connect(), connect()
    world = build_world(one)
    id = open_session(one, world.ann)
    with one.as_user(world.ann.id), two.as_user(world.ann.id):
        one.run("BEGIN")
        one.run("DELETE FROM chat_sessions WHERE id = %s", [id])
        with blocked(two, one, APPEND, [id, "user", "Hi"]) as said:
            one.run("COMMIT")
        with two.refused("session_messages_session_id_fkey", "P0002"):
            said.result()


# Messages that are inserted by hand


def say(db: Person, id: UUID | None, number: int | None, **columns: Any) -> UUID:
    columns = {"role": "user", "content": "Hi", "sequence_number": number, **columns}
    return insert(db, "session_messages", session_id=id, **columns)


@pytest.mark.rule("TP-11", "accepts")
@pytest.mark.parametrize("who", ["user", "service"])
def test_a_message_may_be_inserted_by_hand(db: Person, world: World, who: str) -> None:
    id, other = open_session(db, world.ann), open_session(db, world.ann)
    with by(db, world, who):
        say(db, id, 1)
        say(db, id, 7)
        say(db, other, 7)
        assert db.row(APPEND, [id, "user", "Hi"]).sequence_number == 8
        assert (numbers(db, id), numbers(db, other)) == ([1, 7, 8], [7])
        assert {row.user_id for row in db.rows("SELECT user_id FROM session_messages")} == {world.ann.id}


@pytest.mark.rule("TP-11", "refuses")
@pytest.mark.parametrize("who", ["user", "service"])
def test_a_number_stands_once_in_a_session_and_is_at_least_1(db: Person, world: World, who: str) -> None:
    id = open_session(db, world.ann)
    with by(db, world, who):
        taken, moved = say(db, id, 1), say(db, id, 2)
        with db.refused("session_messages_session_id_sequence_number_key", "23505"):
            say(db, id, 1)
        with db.refused("session_messages_session_id_sequence_number_key", "23505"):
            db.run("UPDATE session_messages SET sequence_number = 1 WHERE id = %s", [moved])
        for number in (0, -1):
            with db.refused("session_messages_sequence_number_check", "23514"):
                say(db, id, number)
            with db.refused("session_messages_sequence_number_check", "23514"):
                db.run("UPDATE session_messages SET sequence_number = %s WHERE id = %s", [number, taken])
        assert numbers(db, id) == [1, 2]


@pytest.mark.rule("TP-11", "refuses")
def test_a_message_inserted_by_hand_is_complete(db: Person, world: World) -> None:
    id = open_session(db, world.ann)
    for column in ["role", "content", "sequence_number", "metadata", "created_at"]:
        with db.refused(sqlstate="23502") as caught:
            say(db, id, **{"number": 1, column: None})
        assert caught.value.diag.column_name == column
    with db.refused(sqlstate="23502") as caught:
        say(db, None, 1, user_id=world.ann.id)
    assert caught.value.diag.column_name == "session_id"
    with db.refused("session_messages_role_check", "23514"):
        say(db, id, 1, role="tool")
    with db.refused("session_messages_content_check", "23514"):
        say(db, id, 1, content="\u00a0")


@pytest.mark.rule("TP-11", "refuses")
def test_a_message_belongs_to_the_user_of_its_session(db: Person, world: World) -> None:
    mine, theirs = open_session(db, world.ann), open_session(db, world.bob)
    said = set()
    with db.as_user(world.ann.id):
        for id in (theirs, uuid4(), None):
            with db.refused("session_messages_session_id_fkey", "23503") as caught:
                say(db, id, 1)
            said.add(str(caught.value))
        with db.refused("session_messages_session_id_fkey", "23503"):
            say(db, theirs, 1, user_id=world.ann.id)
        # Without RETURNING, which would have to be allowed to see the row.
        by_hand = (
            "INSERT INTO session_messages (session_id, user_id, role, content, sequence_number)"
            " VALUES (%s, %s, 'user', 'Hi', 1)"
        )
        with db.refused("session_messages_session_id_fkey", "23503"):
            db.run(by_hand, [theirs, world.bob.id])
        with db.refused(sqlstate="42501"):
            db.run(by_hand, [mine, world.bob.id])
    assert len(said) == 1
    with db.as_service(), db.refused("session_messages_session_id_fkey", "23503"):
        say(db, mine, 1, user_id=world.bob.id)


@pytest.mark.rule("TP-11", "refuses")
@pytest.mark.parametrize("who", ["user", "service"])
def test_a_message_stays_where_it_was_said(db: Person, world: World, who: str) -> None:
    id, other = open_session(db, world.ann), open_session(db, world.ann)
    said = say(db, id, 1)
    with by(db, world, who):
        for change in (f"id = '{uuid4()}'", f"session_id = '{other}'", f"user_id = '{world.bob.id}'"):
            with db.refused("session_messages_immutable_check", "23514"):
                db.run(f"UPDATE session_messages SET {change} WHERE id = %s", [said])
        same = "UPDATE session_messages SET id = id, session_id = session_id, user_id = user_id, content = 'Hello'"
        assert db.run(same) == 1


@pytest.mark.rule("TP-11", "accepts")
@pytest.mark.rule("TP-11", "refuses")
def test_when_it_was_said_is_for_the_database_to_say(db: Person, world: World) -> None:
    id = open_session(db, world.ann)
    with db.as_user(world.ann.id):
        say(db, id, 1, created_at="2001-01-01Z")
        db.run("UPDATE session_messages SET created_at = '2002-01-01Z'")
        assert db.value("SELECT created_at = now() FROM session_messages")
    with db.as_service():
        imported = say(db, id, 2, created_at="2001-01-01Z")
        assert db.value("SELECT created_at = '2001-01-01Z' FROM session_messages WHERE id = %s", [imported])


@pytest.mark.rule("TP-11", "accepts")
def test_messages_go_with_their_session(db: Person, world: World) -> None:
    id, other = open_session(db, world.ann), open_session(db, world.ann)
    with db.as_user(world.ann.id):
        for each in (id, other):
            db.run(APPEND, [each, "user", "Hi"])
        assert db.run("DELETE FROM chat_sessions WHERE id = %s", [id]) == 1
        assert (numbers(db, id), numbers(db, other)) == ([], [1])
