"""Time entries: when they begin and end, how long they took, and what people felt."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.aurum.world import World, add_task, spend
from tests.people import Person

ACTIVITIES = ["focused", "collaborative", "meeting", "break", "planning"]
START = "2026-01-05 09:00:00+00"


def entry(db: Person, id: UUID) -> Any:
    return db.row("SELECT * FROM time_entries WHERE id = %s", [id])


@pytest.mark.rule("AUR-11", "accepts")
@pytest.mark.parametrize(
    ("end", "minutes"),
    [
        (None, None),
        ("2026-01-05 09:00:00.000001+00", 0),
        ("2026-01-05 09:00:29+00", 0),
        ("2026-01-05 09:00:31+00", 1),
        ("2026-01-05 10:30+00", 90),
        ("2026-01-05 10:30+01", 30),
        ("2026-02-05 09:00+00", 44640),
    ],
)
def test_minutes_are_those_between_start_and_end(
    db: Person, world: World, end: str | None, minutes: int | None
) -> None:
    with db.as_user(world.ann.id):
        row = entry(db, spend(db, world.ann, start_time=START, end_time=end))
    assert (row.duration_minutes, row.is_active) == (minutes, end is None)


@pytest.mark.rule("AUR-11", "refuses")
@pytest.mark.parametrize("end", [START, "2026-01-05 08:59:59.999999+00", "2025-01-05"])
def test_the_end_comes_after_the_start(db: Person, world: World, end: str) -> None:
    made = spend(db, world.ann, start_time=START)
    for act in (db.as_user(world.ann.id), db.as_service()):
        with act:
            with db.refused("time_entries_end_time_check"):
                spend(db, world.ann, start_time=START, end_time=end)
            with db.refused("time_entries_end_time_check"):
                db.run("UPDATE time_entries SET end_time = %s WHERE id = %s", [end, made])
    with db.as_user(world.ann.id), db.refused("time_entries_end_time_check"):
        db.run("UPDATE time_entries SET start_time = end_time WHERE id = %s", [made])


@pytest.mark.rule("AUR-11", "refuses")
@pytest.mark.parametrize(
    "times",
    [
        {"start_time": START, "end_time": "infinity"},
        {"start_time": "-infinity", "end_time": START},
        {"start_time": "-infinity", "end_time": "infinity"},
        {"start_time": "-infinity", "end_time": None},
        {"start_time": "infinity", "end_time": None},
    ],
)
def test_no_time_is_infinite(db: Person, world: World, times: dict[str, str | None]) -> None:
    """What has no end yet has none, instead of one at infinity."""
    with db.as_user(world.ann.id), db.refused("time_entries_end_time_check"):
        spend(db, world.ann, **times)


@pytest.mark.rule("AUR-11", "refuses")
def test_nobody_states_the_minutes(db: Person, world: World) -> None:
    made = spend(db, world.ann)
    for act in (db.as_user(world.ann.id), db.as_service()):
        with act:
            with db.refused(sqlstate="428C9"):
                spend(db, world.ann, duration_minutes=7)
            with db.refused(sqlstate="428C9"):
                db.run("UPDATE time_entries SET duration_minutes = 7 WHERE id = %s", [made])


@pytest.mark.rule("AUR-11", "accepts")
@pytest.mark.rule("AUR-11", "refuses")
@pytest.mark.parametrize("role", ["authenticated", "service_role"])
@pytest.mark.parametrize("stated", [True, False, None])
def test_an_entry_is_active_while_it_has_no_end_whatever_is_written(
    db: Person, world: World, role: str, stated: bool | None
) -> None:
    with db.as_user(world.ann.id) if role == "authenticated" else db.as_service():
        running = spend(db, world.ann, end_time=None, is_active=stated)
        over = spend(db, world.ann, is_active=stated)
        for _ in range(2):
            assert (entry(db, running).is_active, entry(db, over).is_active) == (True, False)
            db.run("UPDATE time_entries SET is_active = %s", [stated])
        db.run(
            "UPDATE time_entries SET end_time = '2026-01-05 09:10+00', is_active = %s WHERE id = %s", [stated, running]
        )
        db.run("UPDATE time_entries SET end_time = NULL, is_active = %s WHERE id = %s", [stated, over])
        assert (entry(db, running).is_active, entry(db, running).duration_minutes) == (False, 10)
        assert (entry(db, over).is_active, entry(db, over).duration_minutes) == (True, None)


@pytest.mark.rule("AUR-11", "refuses")
@pytest.mark.parametrize("end", [None, "2026-01-05 10:00+00"])
def test_a_constraint_stands_behind_the_trigger(db: Person, world: World, end: str | None) -> None:
    db.run("SET LOCAL session_replication_role = replica")
    with db.refused("time_entries_is_active_check"):
        spend(db, world.ann, end_time=end, is_active=end is not None)


@pytest.mark.rule("AUR-11", "accepts")
def test_an_entry_is_kept_as_it_is_told(db: Person, world: World) -> None:
    for activity in (*ACTIVITIES, None):
        for score in (1, 10, None):
            said = {
                "activity_type": activity,
                "energy_level": score,
                "productivity_rating": score,
                "notes": "Hard",
            }
            with db.as_user(world.ann.id):
                row = entry(db, spend(db, world.ann, **said))
            assert {column: getattr(row, column) for column in said} == said


@pytest.mark.rule("AUR-11", "refuses")
@pytest.mark.parametrize(
    ("said", "constraint"),
    [
        *(({"activity_type": value}, "time_entries_activity_type_check") for value in ("", "Focused", "sleep")),
        *(({"energy_level": value}, "time_entries_energy_level_check") for value in (0, 11)),
        *(({"productivity_rating": value}, "time_entries_productivity_rating_check") for value in (0, 11)),
        *(({"entity_type": value}, "time_entries_entity_type_check") for value in ("", "Task", "global")),
    ],
)
def test_what_is_no_time_entry_is_refused(db: Person, world: World, said: dict[str, Any], constraint: str) -> None:
    made = spend(db, world.ann)
    (column,) = said
    for act in (db.as_user(world.ann.id), db.as_service()):
        with act:
            with db.refused(constraint):
                spend(db, world.ann, **said)
            with db.refused(constraint):
                db.run(f"UPDATE time_entries SET {column} = %s WHERE id = %s", [said[column], made])


@pytest.mark.rule("AUR-11", "refuses")
@pytest.mark.parametrize("column", ["start_time", "entity_type", "entity_id"])
def test_what_a_time_entry_needs(db: Person, world: World, column: str) -> None:
    made = spend(db, world.ann)
    with db.refused(sqlstate="23503" if column == "entity_id" else "23502"):
        spend(db, world.ann, **{column: None})
    with db.refused(sqlstate="23503" if column == "entity_id" else "23502"):
        db.run(f"UPDATE time_entries SET {column} = NULL WHERE id = %s", [made])


@pytest.mark.rule("AUR-07", "accepts")
@pytest.mark.rule("AUR-07", "refuses")
def test_an_entry_is_moved_to_something_else_of_ones_own(db: Person, world: World) -> None:
    made, other = spend(db, world.ann), add_task(db, world.ann)
    move = "UPDATE time_entries SET entity_type = %s, entity_id = %s WHERE id = %s RETURNING entity_id"
    for act in (db.as_user(world.ann.id), db.as_service()):
        with act:
            assert db.value(move, ["project", world.ann.project, made]) == world.ann.project
            assert db.value(move, ["task", other, made]) == other
            for kind, to in (("task", world.bob.task), ("project", other), ("area", uuid4())):
                with db.refused("time_entries_entity_id_fkey", "23503"):
                    db.run(move, [kind, to, made])
            with db.refused("time_entries_entity_id_fkey", "23503"):
                db.run("UPDATE time_entries SET entity_type = 'pillar' WHERE id = %s", [made])


@pytest.mark.rule("AUR-11", "refuses")
def test_an_entry_stays_its_owners(db: Person, world: World) -> None:
    made = spend(db, world.ann)
    for act in (db.as_user(world.ann.id), db.as_service()):
        with act:
            for column, value in (("user_id", world.bob.id), ("id", uuid4())):
                with db.refused("time_entries_immutable_check"):
                    db.run(f"UPDATE time_entries SET {column} = %s WHERE id = %s", [value, made])


@pytest.mark.rule("AUR-11", "accepts")
def test_times_are_the_databases_and_an_import_states_them(db: Person, world: World) -> None:
    now = db.value("SELECT now()")
    with db.as_user(world.ann.id):
        made = spend(db, world.ann, created_at="2020-01-01")
        assert entry(db, made).created_at == now
        db.run("UPDATE time_entries SET created_at = '2020-01-01' WHERE id = %s", [made])
        assert entry(db, made).created_at == now
    with db.as_service():
        made = spend(db, world.ann, created_at="2020-01-01Z", updated_at="2020-01-01Z")
        assert entry(db, made).created_at.year == entry(db, made).updated_at.year == 2020
        db.run(
            "UPDATE time_entries SET notes = 'Hard', created_at = now(), updated_at = '2020-01-01' WHERE id = %s",
            [made],
        )
        assert (entry(db, made).created_at.year, entry(db, made).updated_at) == (2020, now)
