"""Interventions: their states and times, who may do what, feedback, and the delivery of what is due."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import datetime
from itertools import product
from typing import Any

import pytest
from psycopg.types.json import Jsonb

from tests.othello.world import World, propose, schedule
from tests.people import Person, insert

STATES = ["scheduled", "delivered", "acknowledged", "completed", "dismissed", "failed"]
STEPS = {
    ("scheduled", "delivered"),
    ("scheduled", "dismissed"),
    ("scheduled", "failed"),
    ("delivered", "acknowledged"),
    ("delivered", "dismissed"),
    ("delivered", "failed"),
    ("acknowledged", "completed"),
    ("acknowledged", "dismissed"),
}
STEP_CHECK, USER_CHECK = "interventions_status_transition_check", "interventions_user_status_check"
TIMES = "SELECT delivered_at, acknowledged_at, completed_at FROM interventions WHERE id = %s"
NOW = "clock_timestamp() - interval '1 minute' AND clock_timestamp()"


def move(db: Person, intervention: int, status: str, **columns: Any) -> None:
    columns["status"] = status
    settings = ", ".join(f"{name} = %({name})s" for name in columns)
    assert db.run(f"UPDATE interventions SET {settings} WHERE id = %(id)s", {**columns, "id": intervention}) == 1


def state(db: Person, intervention: int) -> str:
    return db.value("SELECT status FROM interventions WHERE id = %s", [intervention])


def imported(db: Person, world: World, status: str, **columns: Any) -> int:
    """An intervention of Ann's that a service brings in the state it has."""
    with db.as_service():
        return schedule(db, world.ann, status=status, **columns)


def by(db: Person, world: World, who: str) -> AbstractContextManager[Person]:
    return world.ann.acting(db) if who == "user" else db.as_service()


# States


@pytest.mark.rule("OTH-17", "accepts")
@pytest.mark.rule("OTH-17", "refuses")
@pytest.mark.parametrize("who", ["user", "service"])
@pytest.mark.parametrize(("start", "wanted"), list(product(STATES, STATES)))
def test_every_pair_of_states(db: Person, world: World, who: str, start: str, wanted: str) -> None:
    intervention, other = (imported(db, world, start) for _ in range(2))
    with by(db, world, who):
        if start == wanted or (
            (start, wanted) in STEPS and (who == "service" or wanted not in ("delivered", "failed"))
        ):
            move(db, intervention, wanted)
            assert state(db, intervention) == wanted
        else:
            step = (start, wanted) in STEPS
            with db.refused(USER_CHECK if step else STEP_CHECK, "42501" if step else "23514"):
                move(db, intervention, wanted)
            assert state(db, intervention) == start
        assert state(db, other) == start


@pytest.mark.rule("OTH-17", "refuses")
def test_a_user_neither_schedules_nor_deletes_nor_touches_those_of_others(db: Person, world: World) -> None:
    intervention = imported(db, world, "delivered")
    with world.bob.acting(db):
        assert db.rows("SELECT id FROM interventions") == []
        assert db.run("UPDATE interventions SET status = 'dismissed' WHERE id = %s", [intervention]) == 0
    with world.ann.acting(db):
        for forbidden in ("DELETE FROM interventions", "TRUNCATE interventions"):
            with db.refused(sqlstate="42501"):
                db.run(forbidden)
        with db.refused(sqlstate="42501"):
            schedule(db, world.ann)
    with db.as_anon(), db.refused(sqlstate="42501"):
        state(db, intervention)
    assert state(db, intervention) == "delivered"


CHANGES = {
    "category": "other",
    "title": "Wine",
    "message": "Drink more",
    "scheduled_for": "2020-01-01Z",
    "metadata": Jsonb({"a": 1}),
    "agent_activity_id": None,
}


@pytest.mark.rule("OTH-17", "refuses")
@pytest.mark.parametrize("column", CHANGES)
def test_what_an_intervention_says_is_not_the_users_to_change(db: Person, world: World, column: str) -> None:
    intervention = imported(
        db, world, "delivered", agent_activity_id=propose(db, world.ann), metadata=Jsonb({"a": 2, "b": None})
    )
    sql = f"UPDATE interventions SET {column} = %s WHERE id = %s"
    with world.ann.acting(db):
        with db.refused("interventions_authority_check", "42501"):
            db.run(sql, [CHANGES[column], intervention])
        sent_back = f"UPDATE interventions SET {column} = {column}, status = 'acknowledged' WHERE id = %s"
        assert db.run(sent_back, [intervention]) == 1
    with db.as_service():
        assert db.run(sql, [CHANGES[column], intervention]) == 1


@pytest.mark.rule("OTH-17", "refuses")
@pytest.mark.parametrize("column", ["id", "user_id"])
@pytest.mark.parametrize("who", ["user", "service"])
def test_an_intervention_stays_with_its_user(db: Person, world: World, who: str, column: str) -> None:
    intervention = imported(db, world, "delivered")
    with by(db, world, who):
        with db.refused("interventions_immutable_check", "23514"):
            db.run(f"UPDATE interventions SET {column} = %s WHERE id = %s", [world.bob.id, intervention])
        assert db.run(f"UPDATE interventions SET {column} = {column} WHERE id = %s", [intervention]) == 1


@pytest.mark.rule("OTH-17", "refuses")
@pytest.mark.parametrize(
    "column", ["user_id", "category", "status", "title", "message", "scheduled_for", "created_at", "updated_at"]
)
def test_what_every_intervention_has_cannot_be_null(db: Person, world: World, column: str) -> None:
    columns = {
        "user_id": world.ann.id, "category": "other", "title": "T", "message": "M", "scheduled_for": "2020-01-01Z",
        column: None,
    }  # fmt: skip
    with db.as_service(), db.refused(sqlstate="23502") as caught:
        insert(db, "interventions", **columns)
    assert caught.value.diag.column_name == column


@pytest.mark.rule("OTH-17", "refuses")
def test_an_intervention_belongs_to_a_user_and_to_their_activity(db: Person, world: World) -> None:
    with db.as_service():
        columns = {"category": "other", "title": "T", "message": "M", "scheduled_for": "2020-01-01Z"}
        with db.refused("interventions_user_id_fkey", "23503"):
            insert(db, "interventions", user_id=-1, **columns)
        with db.refused("interventions_agent_activity_id_fkey", "23503"):
            schedule(db, world.ann, agent_activity_id=propose(db, world.bob))


@pytest.mark.rule("OTH-17", "accepts")
def test_an_intervention_outlives_its_activity_and_not_its_user(db: Person, world: World) -> None:
    activity = propose(db, world.ann)
    intervention = imported(db, world, "delivered", agent_activity_id=activity)
    db.run("DELETE FROM agent_activities WHERE id = %s", [activity])
    assert db.row("SELECT id, user_id, agent_activity_id FROM interventions") == (intervention, world.ann.id, None)
    with db.as_service():
        db.run("DELETE FROM users WHERE id = %s", [world.ann.id])
        assert db.value("SELECT count(*) FROM interventions") == 0


# Times


@pytest.mark.rule("OTH-17", "accepts")
def test_each_step_sets_its_time_whatever_is_sent(db: Person, world: World) -> None:
    lies = dict.fromkeys(("delivered_at", "acknowledged_at", "completed_at"), "2020-01-01Z")
    with db.as_service():
        intervention = schedule(db, world.ann)
        move(db, intervention, "delivered", **lies)
        first = db.row(TIMES, [intervention])
        assert db.value(f"SELECT delivered_at BETWEEN {NOW} FROM interventions") is True
        assert first[1:] == (None, None)
    with world.ann.acting(db):
        move(db, intervention, "acknowledged", **lies)
        second = db.row(TIMES, [intervention])
        assert second.delivered_at == first.delivered_at < second.acknowledged_at
        assert second.completed_at is None
        move(db, intervention, "completed", **lies)
        third = db.row(TIMES, [intervention])
        assert third[:2] == second[:2]
        assert second.acknowledged_at < third.completed_at
        assert db.value(f"SELECT completed_at BETWEEN {NOW} FROM interventions") is True


@pytest.mark.rule("OTH-17", "refuses")
@pytest.mark.parametrize("status", STATES)
@pytest.mark.parametrize("who", ["user", "service"])
def test_times_are_kept_whatever_is_sent(db: Person, world: World, who: str, status: str) -> None:
    intervention = imported(db, world, status)
    before = db.row(TIMES, [intervention])
    with by(db, world, who):
        for time in ("2020-01-01Z", "2099-01-01Z", None):
            for column in ("delivered_at", "acknowledged_at", "completed_at"):
                move(db, intervention, status, **{column: time})
    assert db.row(TIMES, [intervention]) == before


@pytest.mark.rule("OTH-17", "accepts")
@pytest.mark.parametrize("start", ["scheduled", "delivered", "acknowledged"])
@pytest.mark.parametrize("wanted", ["dismissed", "failed"])
def test_the_end_keeps_the_times_so_far(db: Person, world: World, start: str, wanted: str) -> None:
    if (start, wanted) not in STEPS:
        wanted = "dismissed"
    intervention = imported(db, world, start)
    before = db.row(TIMES, [intervention])
    with db.as_service():
        move(db, intervention, wanted)
    assert db.row(TIMES, [intervention]) == before


@pytest.mark.rule("OTH-17", "accepts")
def test_no_time_precedes_another_when_the_clock_was_set_back(db: Person, world: World) -> None:
    future = db.value("SELECT now() + interval '1 day'")
    intervention = imported(db, world, "delivered", delivered_at=future)
    with world.ann.acting(db):
        move(db, intervention, "acknowledged")
        move(db, intervention, "completed")
    assert db.row(TIMES, [intervention]) == (future, future, future)


D1, D2, D3 = "2020-01-01 00:00+00", "2020-01-02 00:00+00", "2020-01-03 00:00+00"


@pytest.mark.rule("OTH-17", "accepts")
@pytest.mark.parametrize(
    ("status", "given", "stored"),
    [
        ("scheduled", (None, None, None), (None, None, None)),
        ("delivered", (D1, None, None), (D1, None, None)),
        ("acknowledged", (D1, D2, None), (D1, D2, None)),
        ("acknowledged", (D1, None, None), (D1, D1, None)),
        ("completed", (D1, D2, D3), (D1, D2, D3)),
        ("completed", (D1, D1, D1), (D1, D1, D1)),
        ("completed", (D1, D2, None), (D1, D2, D2)),
        ("completed", (D1, None, D3), (D1, D1, D3)),
        ("completed", (D1, None, None), (D1, D1, D1)),
        ("dismissed", (None, None, None), (None, None, None)),
        ("dismissed", (D1, None, None), (D1, None, None)),
        ("dismissed", (D1, D2, None), (D1, D2, None)),
        ("failed", (None, None, None), (None, None, None)),
        ("failed", (D1, None, None), (D1, None, None)),
    ],
)
def test_an_import_states_its_times(
    db: Person, world: World, status: str, given: tuple[str | None, ...], stored: tuple[str | None, ...]
) -> None:
    columns = dict(zip(("delivered_at", "acknowledged_at", "completed_at"), given, strict=True))
    intervention = imported(db, world, status, **columns)
    assert db.row(TIMES, [intervention]) == tuple(
        None if time is None else datetime.fromisoformat(f"{time}:00") for time in stored
    )


@pytest.mark.rule("OTH-17", "accepts")
@pytest.mark.parametrize(("status", "times"), [("delivered", 1), ("acknowledged", 2), ("completed", 3)])
def test_an_import_without_times_is_of_now(db: Person, world: World, status: str, times: int) -> None:
    intervention = imported(db, world, status)
    row = db.row(TIMES, [intervention])
    assert db.value(f"SELECT delivered_at BETWEEN {NOW} FROM interventions") is True
    assert row == tuple([row.delivered_at] * times + [None] * (3 - times))


@pytest.mark.rule("OTH-17", "refuses")
@pytest.mark.parametrize(
    ("status", "times", "rule"),
    [
        ("scheduled", (D1, None, None), "delivered_at"),
        ("delivered", (D1, D2, None), "acknowledged_at"),
        ("failed", (D1, D2, None), "acknowledged_at"),
        ("acknowledged", (D1, D2, D3), "completed_at"),
        ("dismissed", (D1, D2, D3), "completed_at"),
        ("acknowledged", (D2, D1, None), "order"),
        ("completed", (D2, D1, D3), "order"),
        ("completed", (D1, D3, D2), "order"),
        ("completed", (D2, None, D1), "order"),
        ("dismissed", (None, D2, None), "order"),
        ("dismissed", (D2, D1, None), "order"),
    ],
)
def test_an_import_whose_times_contradict_its_state_or_each_other_is_refused(
    db: Person, world: World, status: str, times: tuple[str | None, ...], rule: str
) -> None:
    columns = dict(zip(("delivered_at", "acknowledged_at", "completed_at"), times, strict=True))
    with db.refused(f"interventions_{rule}_check", "23514"):
        imported(db, world, status, **columns)


@pytest.mark.rule("OTH-17", "accepts")
def test_created_at_is_kept(db: Person, world: World) -> None:
    intervention = imported(db, world, "delivered", created_at=D1, updated_at=D1)
    for who in ("user", "service"):
        with by(db, world, who):
            move(db, intervention, "delivered", created_at=D2, updated_at=D2)
    assert db.row("SELECT created_at = %s AS kept, updated_at = now() AS now FROM interventions", [D1]) == (True, True)


# Feedback


@pytest.mark.rule("OTH-18", "accepts")
@pytest.mark.parametrize("status", ["delivered", "acknowledged", "completed"])
@pytest.mark.parametrize("score", [1, 2, 3, 4, 5, None])
def test_feedback_after_delivery(db: Person, world: World, status: str, score: int | None) -> None:
    intervention = imported(db, world, status)
    with world.ann.acting(db):
        move(db, intervention, status, effectiveness_score=score, user_feedback="Good")
    assert db.row("SELECT effectiveness_score, user_feedback FROM interventions") == (score, "Good")


@pytest.mark.rule("OTH-18", "accepts")
def test_feedback_after_an_end_that_followed_delivery(db: Person, world: World) -> None:
    for status in ("dismissed", "failed"):
        intervention = imported(db, world, status, delivered_at=D1)
        with world.ann.acting(db):
            move(db, intervention, status, effectiveness_score=1, user_feedback="Too loud")


@pytest.mark.rule("OTH-18", "refuses")
@pytest.mark.parametrize("score", [0, -1, 6, 100])
def test_another_score_is_refused(db: Person, world: World, score: int) -> None:
    intervention = imported(db, world, "delivered")
    with world.ann.acting(db), db.refused("interventions_effectiveness_score_check", "23514"):
        move(db, intervention, "delivered", effectiveness_score=score)


@pytest.mark.rule("OTH-18", "refuses")
@pytest.mark.parametrize("status", ["scheduled", "dismissed", "failed"])
@pytest.mark.parametrize("feedback", [{"effectiveness_score": 3}, {"user_feedback": "Good"}])
@pytest.mark.parametrize("who", ["user", "service"])
def test_feedback_before_delivery_is_refused(
    db: Person, world: World, who: str, status: str, feedback: dict[str, Any]
) -> None:
    intervention = imported(db, world, status)
    with by(db, world, who), db.refused("interventions_feedback_check", "23514"):
        move(db, intervention, status, **feedback)
    with db.refused("interventions_feedback_check", "23514"):
        imported(db, world, status, **feedback)


@pytest.mark.rule("OTH-18", "accepts")
def test_feedback_comes_with_the_delivery_at_the_earliest(db: Person, world: World) -> None:
    with db.as_service():
        intervention = schedule(db, world.ann)
        move(db, intervention, "delivered", user_feedback="Already read")
    assert state(db, intervention) == "delivered"


# Delivery


def claim(db: Person, limit: int | None = 100) -> list[Any]:
    return db.rows("SELECT * FROM claim_due_interventions(%s)", [limit])


@pytest.mark.rule("OTH-19", "accepts")
def test_what_is_due_is_delivered_and_returned_earliest_first(db: Person, world: World) -> None:
    ids = {
        ago: schedule(db, world.bob, scheduled_for=db.value("SELECT now() - %s::interval", [ago]))
        for ago in ("1 hour", "3 hours", "0 hours", "2 hours")
    }
    same = schedule(db, world.ann, scheduled_for=db.value("SELECT now() - interval '2 hours'"))
    with db.as_service():
        claimed = claim(db)
        assert [row.id for row in claimed] == [ids["3 hours"], ids["2 hours"], same, ids["1 hour"], ids["0 hours"]]
        assert sorted(claimed) == sorted(db.rows("SELECT * FROM interventions"))
        assert {row.status for row in claimed} == {"delivered"}
        assert all(row.delivered_at >= row.scheduled_for for row in claimed)
        assert claim(db) == []


@pytest.mark.rule("OTH-19", "refuses")
def test_nothing_else_is_delivered(db: Person, world: World) -> None:
    schedule(db, world.ann, scheduled_for=db.value("SELECT now() + interval '1 microsecond'"))
    for status in STATES[1:]:
        imported(db, world, status)
    with db.as_service():
        assert claim(db) == []
    assert {row.status for row in db.rows("SELECT status FROM interventions")} == set(STATES)


@pytest.mark.rule("OTH-19", "refuses")
@pytest.mark.parametrize("change", ["is_active = FALSE", "deleted_at = now()"])
@pytest.mark.parametrize("owner", [False, True])
def test_nothing_is_delivered_to_who_is_not_active(db: Person, world: World, change: str, owner: bool) -> None:
    db.run(f"UPDATE users SET {change} WHERE id = %s", [world.ann.id])
    theirs, mine = (schedule(db, user, scheduled_for=D1) for user in (world.ann, world.bob))
    if owner:
        assert [row.id for row in claim(db, 1)] == [mine]
    else:
        with db.as_service():
            assert [row.id for row in claim(db, 1)] == [mine]
    assert state(db, theirs) == "scheduled"


@pytest.mark.rule("OTH-19", "accepts")
def test_the_limit_takes_the_earliest(db: Person, world: World) -> None:
    ids = [
        schedule(db, world.ann, scheduled_for=db.value("SELECT now() - interval '1 hour' * %s", [hours]))
        for hours in (3, 1, 2, 4)
    ]
    with db.as_service():
        assert [row.id for row in claim(db, 2)] == [ids[3], ids[0]]
        assert claim(db, 0) == claim(db, -1) == []
        assert [row.id for row in claim(db, 2)] == [ids[2], ids[1]]


@pytest.mark.rule("OTH-19", "accepts")
def test_a_hundred_are_claimed_unless_said_otherwise(db: Person, world: World) -> None:
    db.run(
        "INSERT INTO interventions (user_id, category, title, message, scheduled_for)"
        " SELECT %s, 'other', 'T', 'M', now() FROM generate_series(1, 201)",
        [world.ann.id],
    )
    with db.as_service():
        assert len(db.rows("SELECT id FROM claim_due_interventions()")) == 100
        assert len(claim(db, None)) == 100
        assert len(claim(db, 500)) == 1


@pytest.mark.rule("OTH-19", "refuses")
def test_users_claim_nothing(db: Person, world: World) -> None:
    schedule(db, world.ann)
    with world.ann.acting(db), db.refused(sqlstate="42501"):
        claim(db)
    with db.as_anon(), db.refused(sqlstate="42501"):
        claim(db)
