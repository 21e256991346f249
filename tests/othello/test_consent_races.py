"""Sessions that meet: consent withdrawn while it is used, answers and objections at the same moment, many workers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from threading import Barrier
from typing import Any

import psycopg
import pytest

from tests.othello.activities import ETHICS_CHECK, STEP_CHECK, TIER_CHECK, state
from tests.othello.world import World, build_world, propose, set_tier, validate
from tests.people import Person, blocked

LEVELS = ["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"]
EXECUTE = "UPDATE agent_activities SET status = 'executed' WHERE id = %s"
MINE = "user_id = (SELECT current_user_id()) AND"


def refusal(error: BaseException | None) -> str | None:
    """The rule by which a statement was refused; 40001, which asks to try again, where it fell to a newer row."""
    assert isinstance(error, psycopg.Error), error
    return error.diag.constraint_name or error.sqlstate


def start(session: Person, level: str) -> None:
    """Begin a transaction whose snapshot, if it is to keep one, is of now."""
    session.run(f"BEGIN ISOLATION LEVEL {level}")
    session.run("SELECT 1 FROM consent_scopes")


@pytest.fixture
def sessions(connect: Callable[[], Person]) -> tuple[Person, Person, World]:
    """Two sessions, and Ann and Bob."""
    one, two = connect(), connect()
    return one, two, build_world(one)


# Consent is withdrawn while an activity is executed. Ann's tier is active in scope health; the activity needs that.

WITHDRAWALS = {
    "update": f"UPDATE consent_tiers SET tier_level = 'passive' WHERE {MINE} scope = 'health'",
    "end": f"UPDATE consent_tiers SET is_active = FALSE WHERE {MINE} scope = 'health'",
    "delete": f"DELETE FROM consent_tiers WHERE {MINE} scope = 'health'",
    "end and start": f"""
        BEGIN;
        UPDATE consent_tiers SET is_active = FALSE WHERE {MINE} scope = 'health';
        INSERT INTO consent_tiers (user_id, scope) VALUES (current_user_id(), 'health');
        COMMIT
    """,
    # Here the scope has no active tier, and global allows it.
    "start": "INSERT INTO consent_tiers (user_id, scope) VALUES (current_user_id(), 'health')",
    "global": f"UPDATE consent_tiers SET tier_level = 'passive' WHERE {MINE} scope = 'global'",
}


def consented(owner: Person, world: World, withdrawal: str) -> int:
    """An activity that Ann's consent allows until this withdrawal."""
    if withdrawal in ("start", "global"):
        owner.run("DELETE FROM consent_tiers WHERE user_id = %s AND scope = 'health'", [world.ann.id])
        set_tier(owner, world.ann, "global", "active")
    else:
        set_tier(owner, world.ann, "health", "active")
    payload = psycopg.types.json.Jsonb({"scope": "health"})
    return propose(owner, world.ann, status="approved", consent_tier_required="active", payload=payload)


@pytest.mark.rule("OTH-14", "refuses")
@pytest.mark.parametrize(
    ("withdrawal", "level"),
    [*((withdrawal, LEVELS[0]) for withdrawal in WITHDRAWALS), *product(("update", "start"), LEVELS[1:])],
)
def test_consent_that_was_withdrawn_first_is_not_used(
    sessions: tuple[Person, Person, World], withdrawal: str, level: str
) -> None:
    user, worker, world = sessions
    activity = consented(user, world, withdrawal)
    with world.ann.acting(user), worker.as_service():
        start(worker, level)
        user.run("BEGIN")
        user.run(WITHDRAWALS[withdrawal].replace("BEGIN;", "").replace("COMMIT", ""))
        with blocked(worker, user, EXECUTE, [activity]) as execution:
            user.run("COMMIT")
        assert refusal(execution.exception()) == (TIER_CHECK if level == LEVELS[0] else "40001")
        worker.run("ROLLBACK")
        with worker.refused(TIER_CHECK):
            worker.run(EXECUTE, [activity])
    assert state(user, activity) == "approved"


@pytest.mark.rule("OTH-14", "refuses")
@pytest.mark.parametrize("withdrawal", WITHDRAWALS)
def test_an_old_snapshot_does_not_bring_consent_back(sessions: tuple[Person, Person, World], withdrawal: str) -> None:
    user, worker, world = sessions
    activity = consented(user, world, withdrawal)
    with world.ann.acting(user), worker.as_service():
        start(worker, "REPEATABLE READ")
        user.run(WITHDRAWALS[withdrawal])
        with pytest.raises(psycopg.errors.SerializationFailure):
            worker.run(EXECUTE, [activity])
        worker.run("ROLLBACK")
    assert state(user, activity) == "approved"


@pytest.mark.rule("OTH-14", "accepts")
def test_a_withdrawal_that_is_undone_withdraws_nothing(sessions: tuple[Person, Person, World]) -> None:
    user, worker, world = sessions
    activity = consented(user, world, "update")
    with world.ann.acting(user), worker.as_service():
        user.run("BEGIN")
        user.run(WITHDRAWALS["update"])
        with blocked(worker, user, EXECUTE, [activity]) as execution:
            user.run("ROLLBACK")
        assert execution.result() == 1
    assert state(user, activity) == "executed"


@pytest.mark.rule("OTH-14", "accepts")
@pytest.mark.parametrize("withdrawal", WITHDRAWALS)
@pytest.mark.parametrize("who", ["user", "service"])
def test_consent_is_withdrawn_after_what_is_being_executed(
    sessions: tuple[Person, Person, World], who: str, withdrawal: str
) -> None:
    user, worker, world = sessions
    activity = consented(user, world, withdrawal)
    sql = WITHDRAWALS[withdrawal]
    if who == "service":
        sql = sql.replace("(SELECT current_user_id())", str(world.ann.id)).replace(
            "current_user_id()", str(world.ann.id)
        )
    with world.ann.acting(user) if who == "user" else user.as_service(), worker.as_service():
        worker.run("BEGIN")
        assert worker.run(EXECUTE, [activity]) == 1
        with blocked(user, worker, sql) as withdrawn:
            worker.run("COMMIT")
        withdrawn.result()
    assert state(user, activity) == "executed"
    assert user.value("SELECT effective_tier(%s, 'health')", [world.ann.id]) == "passive"


@pytest.mark.rule("OTH-14", "refuses")
def test_nothing_is_executed_for_who_is_just_leaving(sessions: tuple[Person, Person, World]) -> None:
    user, worker, world = sessions
    activity = propose(user, world.ann, status="approved")
    with world.ann.acting(user), worker.as_service():
        user.run("BEGIN")
        user.run("SELECT soft_delete_user(current_user_id())")
        with blocked(worker, user, EXECUTE, [activity]) as execution:
            user.run("COMMIT")
    assert refusal(execution.exception()) == TIER_CHECK


# An objection comes while an activity is executed


OBJECT = "INSERT INTO ethical_validations (user_id, agent_activity_id, result) VALUES (%s, %s, 'blocked')"


@pytest.mark.rule("OTH-15", "refuses")
@pytest.mark.parametrize("level", LEVELS)
def test_an_objection_that_comes_first_stops_the_execution(sessions: tuple[Person, Person, World], level: str) -> None:
    othello, worker, world = sessions
    activity = propose(othello, world.ann, status="approved")
    with othello.as_service(), worker.as_service():
        start(worker, level)
        othello.run("BEGIN")
        othello.run(OBJECT, [world.ann.id, activity])
        with blocked(worker, othello, EXECUTE, [activity]) as execution:
            othello.run("COMMIT")
        assert refusal(execution.exception()) == (ETHICS_CHECK if level == LEVELS[0] else "40001")
        worker.run("ROLLBACK")
    assert state(othello, activity) == "approved"


@pytest.mark.rule("OTH-15", "refuses")
def test_an_old_snapshot_does_not_hide_an_objection(sessions: tuple[Person, Person, World]) -> None:
    othello, worker, world = sessions
    activity = propose(othello, world.ann, status="approved")
    with worker.as_service():
        start(worker, "REPEATABLE READ")
        othello.run(OBJECT, [world.ann.id, activity])
        with pytest.raises(psycopg.errors.SerializationFailure):
            worker.run(EXECUTE, [activity])
        worker.run("ROLLBACK")


@pytest.mark.rule("OTH-15", "accepts")
def test_an_objection_waits_for_the_execution_it_is_too_late_for(sessions: tuple[Person, Person, World]) -> None:
    othello, worker, world = sessions
    activity = propose(othello, world.ann, status="approved")
    with othello.as_service(), worker.as_service():
        worker.run("BEGIN")
        assert worker.run(EXECUTE, [activity]) == 1
        with blocked(othello, worker, OBJECT, [world.ann.id, activity]) as objection:
            worker.run("COMMIT")
        assert objection.result() == 1
    assert state(othello, activity) == "executed"


# Two objections, an objection and an override


@pytest.mark.rule("OTH-20", "accepts")
def test_of_two_validations_the_later_one_counts_though_its_id_was_drawn_first(
    sessions: tuple[Person, Person, World],
) -> None:
    one, two, world = sessions
    activity = propose(one, world.ann, status="approved")
    with one.as_service(), two.as_service():
        one.run("BEGIN")
        one.run("SELECT 1 FROM agent_activities WHERE id = %s FOR UPDATE", [activity])
        with blocked(two, one, OBJECT, [world.ann.id, activity]) as objection:
            passed = validate(one, world.ann, "passed", agent_activity_id=activity)
            one.run("COMMIT")
        assert objection.result() == 1
        rows = one.rows("SELECT result FROM ethical_validations ORDER BY id")
        assert rows == [("passed",), ("blocked",)]
        assert one.value("SELECT min(id) FROM ethical_validations") == passed
        with one.refused(ETHICS_CHECK):
            one.run(EXECUTE, [activity])


OVERRIDE = "SELECT override_validation(%s, 'I know better')"


@pytest.mark.rule("OTH-20", "refuses")
@pytest.mark.parametrize("level", LEVELS)
def test_an_override_does_not_outrank_an_objection_that_came_first(
    sessions: tuple[Person, Person, World], level: str
) -> None:
    user, othello, world = sessions
    activity = propose(user, world.ann, status="approved")
    old = validate(user, world.ann, agent_activity_id=activity, override_allowed=True)
    with world.ann.acting(user), othello.as_service():
        start(user, level)
        othello.run("BEGIN")
        othello.run(OBJECT, [world.ann.id, activity])
        with blocked(user, othello, OVERRIDE, [old]) as overriding:
            othello.run("COMMIT")
        latest = "ethical_validations_override_latest_check"
        assert refusal(overriding.exception()) == (latest if level == LEVELS[0] else "40001")
        user.run("ROLLBACK")
        with othello.refused(ETHICS_CHECK):
            othello.run(EXECUTE, [activity])


@pytest.mark.rule("OTH-20", "refuses")
def test_an_objection_that_waits_for_an_override_outranks_it(sessions: tuple[Person, Person, World]) -> None:
    user, othello, world = sessions
    activity = propose(user, world.ann, status="approved")
    old = validate(user, world.ann, agent_activity_id=activity, override_allowed=True)
    with world.ann.acting(user), othello.as_service():
        user.run("BEGIN")
        user.run(OVERRIDE, [old])
        with blocked(othello, user, OBJECT, [world.ann.id, activity]) as objection:
            user.run("COMMIT")
        assert objection.result() == 1
        assert [row.overridden_by_user for row in othello.rows("SELECT * FROM ethical_validations ORDER BY id")] == [
            False,
            True,
            False,
        ]
        with othello.refused(ETHICS_CHECK):
            othello.run(EXECUTE, [activity])


@pytest.mark.rule("OTH-20", "refuses")
def test_a_validation_is_overridden_once(sessions: tuple[Person, Person, World]) -> None:
    one, two, world = sessions
    old = validate(one, world.ann, agent_activity_id=propose(one, world.ann), override_allowed=True)
    with world.ann.acting(one), world.ann.acting(two):
        one.run("BEGIN")
        one.run(OVERRIDE, [old])
        with blocked(two, one, OVERRIDE, [old]) as second:
            one.run("COMMIT")
        assert refusal(second.exception()) == "ethical_validations_override_latest_check"
        assert one.value("SELECT count(*) FROM ethical_validations") == 2


# Two answers

ANSWER = "SELECT respond_to_activity(%s, %s)"


@pytest.mark.rule("OTH-13", "refuses")
@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("start_state", ["proposed", "pending_consent"])
@pytest.mark.parametrize(
    ("first", "second"), [("approved", "denied"), ("denied", "approved"), ("approved", "approved")]
)
def test_of_two_answers_the_first_counts(
    sessions: tuple[Person, Person, World], first: str, second: str, start_state: str, level: str
) -> None:
    one, two, world = sessions
    activity = propose(one, world.ann, consent_required=True, status=start_state)
    with world.ann.acting(one), world.ann.acting(two):
        start(two, level)
        one.run("BEGIN")
        one.run(ANSWER, [activity, first])
        with blocked(two, one, ANSWER, [activity, second]) as later:
            one.run("COMMIT")
        assert refusal(later.exception()) == (STEP_CHECK if level == LEVELS[0] else "40001")
        two.run("ROLLBACK")
    assert one.rows("SELECT action FROM consent_logs") == [(first,)]
    assert state(one, activity) == {"approved": "approved", "denied": "rejected"}[first]


@pytest.mark.rule("OTH-13", "accepts")
def test_many_answers_at_once_are_one_decision(connect: Callable[[], Person]) -> None:
    people = [connect() for _ in range(8)]
    world = build_world(people[0])
    activity = propose(people[0], world.ann, consent_required=True)
    barrier = Barrier(len(people), timeout=30)

    def answer(number: int) -> str | None:
        with world.ann.acting(people[number]) as person:
            barrier.wait()
            try:
                person.run(ANSWER, [activity, ("approved", "denied")[number % 2]])
            except psycopg.Error as error:
                return refusal(error)
        return None

    with ThreadPoolExecutor(len(people)) as pool:
        outcomes = list(pool.map(answer, range(len(people))))
    assert Counter(outcomes) == {None: 1, STEP_CHECK: 7}
    decided = ("approved", "denied")[outcomes.index(None) % 2]
    assert people[0].rows("SELECT action FROM consent_logs") == [(decided,)]
    assert state(people[0], activity) == {"approved": "approved", "denied": "rejected"}[decided]


# Many workers

CLAIM = "SELECT id FROM claim_due_interventions(7)"


def fill(owner: Person, world: World, count: int) -> set[int]:
    rows = owner.rows(
        "INSERT INTO interventions (user_id, category, title, message, scheduled_for)"
        " SELECT CASE WHEN n %% 2 = 0 THEN %s ELSE %s END, 'other', 'T', 'M', now() - interval '1 minute' * (n %% 5)"
        " FROM generate_series(1, %s) AS n RETURNING id",
        [world.ann.id, world.bob.id, count],
    )
    return {row.id for row in rows}


def work(worker: Person, barrier: Barrier) -> list[int]:
    """Claim until nothing is due that nobody else holds."""
    claimed: list[int] = []
    with worker.as_service():
        barrier.wait()
        while batch := worker.rows(CLAIM):
            claimed += [row.id for row in batch]
    return claimed


def work_together(workers: list[Person]) -> list[int]:
    barrier = Barrier(len(workers), timeout=30)
    with ThreadPoolExecutor(len(workers)) as pool:
        return [row for claimed in pool.map(lambda worker: work(worker, barrier), workers) for row in claimed]


@pytest.mark.rule("OTH-19", "accepts")
@pytest.mark.rule("OTH-19", "refuses")
def test_twenty_workers_deliver_each_intervention_once(connect: Callable[[], Person]) -> None:
    owner, workers = connect(), [connect() for _ in range(20)]
    due = fill(owner, build_world(owner), 400)
    claimed = work_together(workers)
    assert sorted(claimed) == sorted(due)
    assert owner.rows("SELECT DISTINCT status FROM interventions") == [("delivered",)]


@pytest.mark.rule("OTH-19", "accepts")
def test_what_a_worker_held_when_its_connection_ended_is_delivered_by_others(connect: Callable[[], Person]) -> None:
    owner, lost, workers = connect(), connect(), [connect() for _ in range(19)]
    due = fill(owner, build_world(owner), 300)
    lost.run("SET ROLE service_role")
    lost.run("BEGIN")
    held = {row.id for row in lost.rows(CLAIM)}
    assert len(held) == 7
    claimed = work_together(workers)
    assert sorted(claimed) == sorted(due - held)
    assert owner.value("SELECT pg_terminate_backend(%s, 30000)", [lost.conn.info.backend_pid]) is True
    lost.conn.close()
    assert sorted(work_together(workers)) == sorted(held)
    assert owner.rows("SELECT DISTINCT status FROM interventions") == [("delivered",)]


@pytest.mark.rule("OTH-19", "accepts")
def test_a_worker_passes_over_what_another_holds(sessions: tuple[Person, Person, World]) -> None:
    one, two, world = sessions
    due = fill(one, world, 14)
    with one.as_service(), two.as_service():
        one.run("BEGIN")
        first: set[Any] = {row.id for row in one.rows(CLAIM)}
        second: set[Any] = {row.id for row in two.rows(CLAIM)}
        one.run("COMMIT")
    assert len(first) == len(second) == 7
    assert first | second == due


@pytest.mark.rule("OTH-19", "refuses")
def test_what_its_user_just_dismisses_is_not_delivered(sessions: tuple[Person, Person, World]) -> None:
    user, worker, world = sessions
    fill(user, world, 2)
    with world.ann.acting(user), worker.as_service():
        user.run("BEGIN")
        assert user.run("UPDATE interventions SET status = 'dismissed'") == 1
        assert len(worker.rows(CLAIM)) == 1
        user.run("COMMIT")
        assert worker.rows(CLAIM) == []
