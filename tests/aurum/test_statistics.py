"""The hierarchy at a glance, the statistics of periods, and the counters of users."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.aurum.world import User, World, add_task, build_world, find_out, reflect, say, spend, write
from tests.people import Person, at_once, blocked, insert

# The hierarchy


def read(db: Person, user: User) -> set[str]:
    """Return the names of the tasks that somebody sees in the hierarchy."""
    with db.as_user(user.id):
        return {row.task_name for row in db.rows("SELECT task_name FROM my_hierarchy")}


def refresh(db: Person) -> None:
    with db.as_service():
        db.run("SELECT refresh_hierarchy_view()")


@pytest.mark.rule("AUR-16", "accepts")
def test_the_hierarchy_names_all_above_a_task(db: Person, world: World) -> None:
    db.run(
        "UPDATE tasks SET priority = 'high', due_date = now(), hrm_priority_score = 0.75, hrm_alignment_score = 0.25"
        " WHERE id = %s",
        [world.ann.task],
    )
    refresh(db)
    now = db.value("SELECT now()")
    with db.as_user(world.ann.id):
        row = db.row("SELECT * FROM my_hierarchy")
    assert row._asdict() == {
        "task_id": world.ann.task,
        "task_name": "Run",
        "user_id": world.ann.id,
        "project_id": world.ann.project,
        "project_name": "Marathon",
        "area_id": world.ann.area,
        "area_name": "Sport",
        "pillar_id": world.ann.pillar,
        "pillar_name": "Health",
        "task_status": "todo",
        "task_priority": "high",
        "due_date": now,
        "hrm_priority_score": row.hrm_priority_score,
        "hrm_alignment_score": row.hrm_alignment_score,
    }
    assert (float(row.hrm_priority_score), float(row.hrm_alignment_score)) == (0.75, 0.25)


@pytest.mark.rule("AUR-16", "accepts")
def test_tasks_of_projects_without_a_pillar_are_in_the_hierarchy(db: Person, world: World) -> None:
    area = insert(db, "areas", user_id=world.ann.id, name="Home")
    project = insert(db, "projects", user_id=world.ann.id, name="Garden", area_id=area)
    add_task(db, world.ann, "Dig", project_id=project)
    refresh(db)
    with db.as_user(world.ann.id):
        row = db.row("SELECT * FROM my_hierarchy WHERE task_name = 'Dig'")
    assert (row.project_name, row.area_name, row.pillar_id, row.pillar_name) == ("Garden", "Home", None, None)


@pytest.mark.rule("AUR-16", "accepts")
def test_the_hierarchy_is_as_of_its_last_refresh(db: Person, world: World) -> None:
    refresh(db)
    add_task(db, world.ann)
    db.run("DELETE FROM tasks WHERE id = %s", [world.ann.task])
    assert read(db, world.ann) == {"Run"}
    refresh(db)
    assert read(db, world.ann) == {"Stretch"}


@pytest.mark.rule("AUR-16", "refuses")
def test_people_see_only_their_own_hierarchy(db: Person, world: World) -> None:
    add_task(db, world.bob, "Swim")
    refresh(db)
    assert (read(db, world.ann), read(db, world.bob)) == ({"Run"}, {"Run", "Swim"})
    with db.as_user(uuid4()):
        assert db.rows("SELECT * FROM my_hierarchy") == []
    with db.as_anon(), db.refused(sqlstate="42501"):
        db.rows("SELECT * FROM my_hierarchy")


@pytest.mark.rule("AUR-16", "refuses")
def test_nobody_reads_past_the_filter(db: Person, world: World) -> None:
    refresh(db)
    for person in (db.as_user(world.ann.id), db.as_service(), db.as_anon()):
        with person, db.refused(sqlstate="42501"):
            db.rows("SELECT * FROM hierarchy_view")
    with db.as_user(world.ann.id):
        # A cheap function would be called before the filter and see all rows, were it not for the barrier.
        db.run("SET LOCAL enable_indexscan = off")
        db.run("SET LOCAL enable_bitmapscan = off")
        db.run(
            "CREATE FUNCTION pg_temp.see(uuid) RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS $$ BEGIN"
            " IF $1 <> auth.uid() THEN RAISE 'it sees %', $1; END IF; RETURN TRUE; END; $$"
        )
        assert len(db.rows("SELECT * FROM my_hierarchy WHERE pg_temp.see(user_id)")) == 1


@pytest.mark.rule("AUR-16", "refuses")
def test_users_do_not_refresh_the_hierarchy(db: Person, world: World) -> None:
    for person in (db.as_user(world.ann.id), db.as_anon()):
        with person, db.refused(sqlstate="42501"):
            db.run("SELECT refresh_hierarchy_view()")


@pytest.mark.rule("AUR-16", "accepts")
def test_the_hierarchy_has_one_row_for_a_task(db: Person) -> None:
    assert db.rows(
        "SELECT indexdef ~ 'UNIQUE INDEX .* \\(task_id\\)$' AS ok FROM pg_indexes"
        " WHERE indexname = 'hierarchy_view_task_id_key' AND schemaname = %s",
        [db.schema],
    ) == [(True,)]


@pytest.mark.rule("AUR-16", "accepts")
def test_the_hierarchy_is_refreshed_while_it_is_read(connect: Callable[[], Person]) -> None:
    owner, reader = connect(), connect()
    world = build_world(owner)
    refresh(owner)
    owner.run("UPDATE tasks SET name = 'Swim'")
    with reader.as_user(world.ann.id), reader.conn.transaction():
        first = reader.value("SELECT task_name FROM my_hierarchy")
        # It would wait for the reader, and fail, were it not concurrent.
        owner.run("SET lock_timeout = '5s'")
        refresh(owner)
        assert (first, reader.value("SELECT task_name FROM my_hierarchy")) == ("Run", "Swim")


@pytest.mark.rule("AUR-16", "accepts")
def test_of_two_refreshes_one_waits(connect: Callable[[], Person]) -> None:
    one, other = connect(), connect()
    world = build_world(one)
    for person in (one, other):
        person.run("SET ROLE service_role")
    one.run("BEGIN")
    one.run("SELECT refresh_hierarchy_view()")
    with blocked(other, one, "SELECT refresh_hierarchy_view()") as waiting:
        one.run("COMMIT")
    assert waiting.result() == 1
    one.run("RESET ROLE")
    assert read(one, world.ann) == {"Run"}


# The statistics of a period

STATISTICS = "SELECT (refresh_user_statistics(%s, %s, %s)).*"
FIGURES = ("pillar_stats", "area_stats", "project_stats", "task_stats", "time_allocation", "productivity_metrics")


def live(db: Person, world: World) -> dict[str, UUID]:
    """Give Ann, in New York, a Monday: the fifth of January 2026, from 5 o'clock to 5 o'clock in UTC."""
    ann = world.ann
    db.run("UPDATE user_profiles SET timezone = 'America/New_York' WHERE id = %s", [ann.id])
    home = insert(db, "areas", user_id=ann.id, name="Home")
    garden = insert(db, "projects", user_id=ann.id, name="Garden", area_id=home, status="in_progress")
    for gone, columns in (("areas", {"pillar_id": ann.pillar}), ("projects", {"area_id": ann.area}), ("pillars", {})):
        insert(db, gone, user_id=ann.id, name="Gone", archived=True, **columns)
    # Due when the day is over.
    db.run("UPDATE tasks SET due_date = '2026-01-06 05:00Z' WHERE id = %s", [ann.task])
    # Completed in time; too late, but on that day; still open; out of the way.
    add_task(
        db, ann, priority="high", created_at="2026-01-05 05:00Z", completed_at="2026-01-05 12:00Z",
        due_date="2026-01-05 12:00Z",
    )  # fmt: skip
    add_task(
        db, ann, project_id=garden, created_at="2026-01-05 04:59Z", completed_at="2026-01-06 04:59Z",
        due_date="2026-01-05 05:00Z",
    )  # fmt: skip
    add_task(
        db, ann, priority="low", status="in_progress", created_at="2026-01-06 05:00Z", due_date="2026-01-06 04:59Z"
    )
    add_task(
        db, ann, archived=True, created_at="2026-01-05 12:00Z", completed_at="2026-01-05 12:00Z",
        due_date="2026-01-05 12:00Z",
    )  # fmt: skip
    for minutes, kind, id, columns in (
        (60, "task", ann.task, {"activity_type": "focused", "energy_level": 8, "productivity_rating": 6}),
        (30, "project", garden, {"activity_type": "meeting", "energy_level": 5}),
        (15, "area", ann.area, {}),
        (10, "pillar", ann.pillar, {"activity_type": "focused"}),
    ):
        start = db.value("SELECT '2026-01-05 05:00Z'::timestamptz")
        end = db.value("SELECT %s + %s * interval '1 minute'", [start, minutes])
        spend(db, ann, entity_type=kind, entity_id=id, start_time=start, end_time=end, **columns)
    spend(db, ann, start_time="2026-01-05 04:59Z", end_time="2026-01-05 06:00Z", energy_level=1)
    spend(db, ann, start_time="2026-01-06 05:00Z", end_time="2026-01-06 06:00Z", energy_level=1)
    spend(db, ann, start_time="2026-01-05 06:00Z", end_time=None, energy_level=1)
    for at in ("2026-01-05 04:59Z", "2026-01-05 05:00Z", "2026-01-06 04:59Z", "2026-01-06 05:00Z"):
        write(db, ann, created_at=at)
    write(db, ann, created_at="2026-01-05 12:00Z", archived=True)
    for day in ("2026-01-04", "2026-01-05", "2026-01-06"):
        reflect(db, ann, reflection_date=day)
    # None of it is Bob's.
    add_task(db, world.bob, created_at="2026-01-05 12:00Z", completed_at="2026-01-05 12:00Z")
    return {"home": home, "garden": garden}


@pytest.mark.rule("AUR-17", "accepts")
def test_the_statistics_of_a_day_are_what_one_counts_by_hand(db: Person, world: World) -> None:
    made = live(db, world)
    with db.as_user(world.ann.id):
        row = db.row(STATISTICS, [None, "2026-01-05", "daily"])
    assert (row.user_id, row.stat_date, row.stat_type) == (world.ann.id, date(2026, 1, 5), "daily")
    sport = {"tasks": 3, "open": 2, "completed": 1, "completed_in_period": 1}
    garden = {"tasks": 1, "open": 0, "completed": 1, "completed_in_period": 1, "minutes": 30}
    assert row.pillar_stats == {
        str(world.ann.pillar): {"name": "Health", "areas": 1, "projects": 1, **sport, "minutes": 85}
    }
    assert row.area_stats == {
        str(world.ann.area): {"name": "Sport", "projects": 1, **sport, "minutes": 75},
        str(made["home"]): {"name": "Home", "projects": 1, **garden},
    }
    assert row.project_stats == {
        str(world.ann.project): {"name": "Marathon", "status": "not_started", **sport, "minutes": 60},
        str(made["garden"]): {"name": "Garden", "status": "in_progress", **garden},
    }
    assert row.task_stats == {
        "total": 4,
        "open": 2,
        "completed": 2,
        "overdue": 2,
        "created": 1,
        "completed_in_period": 2,
        "by_status": {"todo": 1, "in_progress": 1, "completed": 2},
        "by_priority": {"low": 1, "medium": 2, "high": 1},
    }
    assert row.time_allocation == {
        "total": 115,
        "by_pillar": {str(world.ann.pillar): 85, "none": 30},
        "by_activity": {"focused": 70, "meeting": 30, "none": 15},
    }
    assert row.productivity_metrics == {
        "completion_rate": 0.67,
        "on_time_rate": 0.5,
        "focus_minutes": 70,
        "average_energy": 6.5,
        "average_productivity": 6,
        "journal_entries": 2,
        "reflections": 1,
    }


@pytest.mark.rule("AUR-17", "accepts")
def test_who_has_nothing_has_statistics_of_nothing(db: Person) -> None:
    user = db.value("INSERT INTO auth.users (email) VALUES ('eve@example.org') RETURNING id")
    with db.as_user(user):
        row = db.row("SELECT (refresh_user_statistics(%s)).*", [None])
    assert (row.stat_date, row.stat_type) == (db.value("SELECT current_date"), "daily")
    assert (row.pillar_stats, row.area_stats, row.project_stats) == ({}, {}, {})
    tasks = dict.fromkeys(("total", "open", "completed", "overdue", "created", "completed_in_period"), 0)
    assert row.task_stats == {**tasks, "by_status": {}, "by_priority": {}}
    assert row.time_allocation == {"total": 0, "by_pillar": {}, "by_activity": {}}
    assert row.productivity_metrics == {
        **dict.fromkeys(("completion_rate", "on_time_rate", "average_energy", "average_productivity")),
        **dict.fromkeys(("focus_minutes", "journal_entries", "reflections"), 0),
    }


@pytest.mark.rule("AUR-17", "accepts")
@pytest.mark.parametrize(
    ("zone", "kind", "day", "first", "begins", "ends"),
    [
        ("UTC", "daily", "2026-01-05", "2026-01-05", "2026-01-05 00:00Z", "2026-01-06 00:00Z"),
        (None, "daily", "2026-01-05", "2026-01-05", "2026-01-05 00:00Z", "2026-01-06 00:00Z"),
        ("Asia/Kathmandu", "daily", "2026-01-05", "2026-01-05", "2026-01-04 18:15Z", "2026-01-05 18:15Z"),
        # A day of 23 hours.
        ("America/New_York", "daily", "2026-03-08", "2026-03-08", "2026-03-08 05:00Z", "2026-03-09 04:00Z"),
        ("America/New_York", "weekly", "2026-01-05", "2026-01-05", "2026-01-05 05:00Z", "2026-01-12 05:00Z"),
        ("America/New_York", "weekly", "2026-01-11", "2026-01-05", "2026-01-05 05:00Z", "2026-01-12 05:00Z"),
        ("America/New_York", "monthly", "2026-02-28", "2026-02-01", "2026-02-01 05:00Z", "2026-03-01 05:00Z"),
        ("Asia/Kathmandu", "monthly", "2025-12-01", "2025-12-01", "2025-11-30 18:15Z", "2025-12-31 18:15Z"),
    ],
)
def test_a_period_begins_and_ends_at_the_users_midnight(
    db: Person, world: World, zone: str | None, kind: str, day: str, first: str, begins: str, ends: str
) -> None:
    if zone:
        db.run("UPDATE user_profiles SET timezone = %s", [zone])
    else:
        db.run("DELETE FROM user_profiles")
    begin, end = (db.value("SELECT %s::timestamptz", [at]) for at in (begins, ends))
    for minutes, at, before in ((1, begin, "1 second"), (2, begin, "0"), (4, end, "1 second"), (8, end, "0")):
        start = db.value("SELECT %s - %s::interval", [at, before])
        spend(
            db,
            world.ann,
            start_time=start,
            end_time=db.value("SELECT %s + %s * interval '1 minute'", [start, minutes]),
        )
        add_task(db, world.ann, str(minutes), created_at=start, completed_at=start, due_date=start)
        write(db, world.ann, created_at=start)
    with db.as_service():
        row = db.row(STATISTICS, [world.ann.id, day, kind])
    assert str(row.stat_date) == first
    assert row.time_allocation["total"] == 2 + 4
    assert (row.task_stats["created"], row.task_stats["completed_in_period"]) == (2, 2)
    assert row.productivity_metrics["journal_entries"] == 2
    assert row.pillar_stats[str(world.ann.pillar)]["completed_in_period"] == 2


@pytest.mark.rule("AUR-17", "accepts")
def test_statistics_may_be_refreshed_again_and_again(db: Person, world: World) -> None:
    live(db, world)
    with db.as_user(world.ann.id):
        first, again = (db.row(STATISTICS, [None, "2026-01-05", "daily"]) for _ in range(2))
        assert first == again
        spend(db, world.ann, activity_type="focused")
        db.run("UPDATE tasks SET archived = TRUE")
        third = db.row(STATISTICS, [world.ann.id, "2026-01-05", "daily"])
        assert third.id == first.id
        assert [name for name in FIGURES if getattr(third, name) == getattr(first, name)] == []
        week = db.row(STATISTICS, [None, "2026-01-05", "weekly"])
        assert week.id != first.id
        assert {row.id for row in db.rows("SELECT * FROM user_statistics_cache")} == {first.id, week.id}


@pytest.mark.rule("AUR-17", "refuses")
@pytest.mark.parametrize(
    ("day", "kind"), [("2026-01-05", "yearly"), ("2026-01-05", ""), ("2026-01-05", None), (None, "daily")]
)
def test_there_are_no_other_statistics(db: Person, world: World, day: str | None, kind: str | None) -> None:
    with db.as_user(world.ann.id), db.refused("user_statistics_cache_stat_type_check", "23514"):
        db.row(STATISTICS, [None, day, kind])


@pytest.mark.rule("AUR-17", "refuses")
@pytest.mark.parametrize("figures", FIGURES)
def test_figures_have_names(db: Person, world: World, figures: str) -> None:
    with db.as_user(world.ann.id):
        db.row(STATISTICS, [None, "2026-01-05", "daily"])
    with db.refused("user_statistics_cache_objects_check", "23514"):
        db.run(f"UPDATE user_statistics_cache SET {figures} = '[]'")


@pytest.mark.rule("AUR-17", "refuses")
def test_nobody_refreshes_anothers_statistics(db: Person, world: World) -> None:
    with db.as_user(world.ann.id):
        for user in (world.bob.id, uuid4()):
            with db.refused(sqlstate="42501"):
                db.row(STATISTICS, [user, "2026-01-05", "daily"])
        with db.refused(sqlstate="42501"):
            db.row("SELECT compute_statistics('2026-01-05', 'daily', %s)", [[world.bob.id]])
    with db.as_anon(), db.refused(sqlstate="42501"):
        db.row(STATISTICS, [None, "2026-01-05", "daily"])


@pytest.mark.rule("AUR-17", "refuses")
def test_statistics_are_of_a_user_that_exists(db: Person, world: World) -> None:
    gone = uuid4()
    with db.as_service():
        with db.refused("user_statistics_cache_user_id_fkey", "P0002"):
            db.row(STATISTICS, [gone, "2026-01-05", "daily"])
        with db.refused(sqlstate="22023"):
            db.row(STATISTICS, [None, "2026-01-05", "daily"])
    with db.as_user(gone), db.refused("user_statistics_cache_user_id_fkey", "P0002"):
        db.row(STATISTICS, [None, "2026-01-05", "daily"])


@pytest.mark.rule("AUR-17", "accepts")
def test_the_job_computes_for_all_what_each_would_get_alone(db: Person, world: World) -> None:
    live(db, world)
    find = "SELECT * FROM user_statistics_cache ORDER BY user_id, stat_date, stat_type"
    with db.as_service():
        assert db.value("SELECT refresh_all_statistics('2026-01-06')") == 2 * 4
    together = db.rows(find)
    assert [(str(row.stat_date), row.stat_type) for row in together] == 2 * [
        *(("2026-01-01", "monthly"), ("2026-01-05", "daily")),
        *(("2026-01-05", "weekly"), ("2026-01-06", "daily")),
    ]
    assert together[0].time_allocation["total"] + together[4].time_allocation["total"] == 60 + 115 + 61
    db.run("DELETE FROM user_statistics_cache")
    with db.as_service():
        for row in together:
            db.row(STATISTICS, [row.user_id, row.stat_date, row.stat_type])
    alone = db.rows(find)
    assert [row[1:] for row in alone] == [row[1:] for row in together]


@pytest.mark.rule("AUR-17", "refuses")
def test_users_do_not_refresh_everybodys_figures(db: Person, world: World) -> None:
    for sql in ("refresh_all_statistics()", "refresh_user_stats()", f"refresh_user_stats('{world.ann.id}')"):
        for person in (db.as_user(world.ann.id), db.as_anon()):
            with person, db.refused(sqlstate="42501"):
                db.run(f"SELECT {sql}")


@pytest.mark.rule("AUR-17", "accepts")
def test_two_at_once_refresh_the_same_statistics(connect: Callable[[], Person]) -> None:
    people = [connect() for _ in range(8)]
    world = build_world(people[0])
    for person in people:
        person.run("SET ROLE service_role")
        person.run("SELECT set_config('request.jwt.claims', '{\"role\": \"service_role\"}', FALSE)")
    rows = at_once(people, STATISTICS, [world.ann.id, "2026-01-05", "daily"])
    assert len({row.id for row in rows}) == 1
    assert len({str(row.task_stats) for row in rows}) == 1


# The counters of a user

COUNTERS = (
    *("total_journal_entries", "total_tasks", "tasks_completed", "total_areas", "total_projects"),
    *("completed_projects", "total_ai_interactions", "insights_generated", "insights_applied"),
    "total_focus_time_minutes",
)


def counters(db: Person, user: User) -> dict[str, int]:
    """Return a user's counters, which must be what one counts."""
    find = f"SELECT {', '.join(COUNTERS)} FROM"
    kept = db.row(f"{find} user_stats WHERE user_id = %s", [user.id])
    assert kept == db.row(f"{find} user_counters(%s)", [[user.id]])
    return kept._asdict()


CHANGES: dict[str, list[tuple[str, dict[str, int]]]] = {
    "journal entries": [
        (
            "INSERT INTO journal_entries (user_id, title, content) SELECT %(user)s, 'Today', 'Good' FROM"
            " generate_series(1, 3)",
            {"total_journal_entries": 3},
        ),
        ("UPDATE journal_entries SET content = 'Bad'", {}),
        (
            "UPDATE journal_entries SET archived = TRUE WHERE id IN (SELECT id FROM journal_entries LIMIT 2)",
            {"total_journal_entries": -2},
        ),
        (
            "UPDATE journal_entries SET archived = FALSE WHERE id = (SELECT id FROM journal_entries WHERE archived"
            " LIMIT 1)",
            {"total_journal_entries": 1},
        ),
        ("UPDATE journal_entries SET archived = NOT archived", {"total_journal_entries": -1}),
        ("DELETE FROM journal_entries WHERE archived", {}),
        ("DELETE FROM journal_entries", {"total_journal_entries": -1}),
    ],
    "areas": [
        ("INSERT INTO areas (user_id, name) VALUES (%(user)s, 'Home'), (%(user)s, 'Work')", {"total_areas": 2}),
        ("INSERT INTO areas (user_id, name, archived) VALUES (%(user)s, 'Past', TRUE)", {}),
        ("UPDATE areas SET archived = TRUE WHERE name = 'Home'", {"total_areas": -1}),
        ("UPDATE areas SET archived_at = NULL", {"total_areas": 2}),
        ("DELETE FROM areas WHERE name <> 'Sport'", {"total_areas": -3}),
        ("DELETE FROM areas", {"total_areas": -1, "total_projects": -1, "total_tasks": -1}),
    ],
    "projects": [
        (
            "INSERT INTO projects (user_id, area_id, name, status) VALUES (%(user)s, %(area)s, 'A', 'completed'),"
            " (%(user)s, %(area)s, 'B', 'in_progress'), (%(user)s, %(area)s, 'C', NULL),"
            " (%(user)s, %(area)s, 'D', 'Completed')",
            {"total_projects": 4, "completed_projects": 2},
        ),
        ("UPDATE projects SET status = 'completed' WHERE name IN ('B', 'C')", {"completed_projects": 2}),
        ("UPDATE projects SET status = 'In Progress' WHERE name = 'A'", {"completed_projects": -1}),
        ("UPDATE projects SET archived = TRUE", {"total_projects": -5, "completed_projects": -3}),
        ("UPDATE projects SET archived = FALSE", {"total_projects": 5, "completed_projects": 3}),
        ("DELETE FROM projects", {"total_projects": -5, "completed_projects": -3, "total_tasks": -1}),
    ],
    "tasks": [
        (
            "INSERT INTO tasks (user_id, project_id, name, completed) SELECT %(user)s, %(project)s, 'T', n > 60 FROM"
            " generate_series(1, 100) AS n",
            {"total_tasks": 100, "tasks_completed": 40},
        ),
        ("UPDATE tasks SET status = 'completed' WHERE name = 'Run'", {"tasks_completed": 1}),
        ("UPDATE tasks SET completed = NOT completed", {"tasks_completed": 101 - 41 - 41}),
        (
            "INSERT INTO tasks (id, user_id, project_id, name) SELECT t.id, t.user_id, t.project_id, 'New' FROM tasks"
            " AS t WHERE t.completed UNION ALL SELECT gen_random_uuid(), %(user)s, %(project)s, 'New'"
            " ON CONFLICT (id) DO UPDATE SET completed_at = NULL",
            {"total_tasks": 1, "tasks_completed": -60},
        ),
        ("UPDATE tasks SET completed_at = now()", {"tasks_completed": 102}),
        ("UPDATE tasks SET archived = TRUE WHERE name = 'Run'", {"total_tasks": -1, "tasks_completed": -1}),
        ("DELETE FROM tasks WHERE name = 'Run'", {}),
        ("DELETE FROM tasks", {"total_tasks": -101, "tasks_completed": -101}),
    ],
    "insights": [
        (
            "INSERT INTO insights (user_id, entity_type, entity_id, insight_type, title, summary, detailed_reasoning,"
            " confidence_score) SELECT %(user)s, 'task', %(task)s, 'recommendation', n::text, 'Rest', '{}', 0.5 FROM"
            " generate_series(1, 3) AS n",
            {"insights_generated": 3},
        ),
        ("SELECT record_insight_feedback(id, 'rejected') FROM insights", {}),
        ("SELECT record_insight_feedback(id, 'accepted') FROM insights WHERE title = '1'", {"insights_applied": 1}),
        ("SELECT record_insight_feedback(id, 'modified') FROM insights WHERE title < '3'", {"insights_applied": 1}),
        ("UPDATE insights SET is_active = FALSE", {}),
        ("DELETE FROM insights WHERE title = '1'", {"insights_generated": -1, "insights_applied": -1}),
        (
            "DELETE FROM tasks WHERE id = %(task)s",
            {"insights_generated": -2, "insights_applied": -1, "total_tasks": -1},
        ),
    ],
    "time entries": [
        (
            "INSERT INTO time_entries (user_id, entity_type, entity_id, start_time, end_time, activity_type)"
            " SELECT %(user)s, 'task', %(task)s, '2026-01-05', '2026-01-05'::timestamptz + n * interval '10 minutes',"
            " CASE WHEN n < 4 THEN 'focused' ELSE 'break' END FROM generate_series(1, 5) AS n",
            {"total_focus_time_minutes": 10 + 20 + 30},
        ),
        (
            "INSERT INTO time_entries (user_id, entity_type, entity_id, start_time, activity_type)"
            " VALUES (%(user)s, 'task', %(task)s, '2026-01-06', 'focused')",
            {},
        ),
        (
            "UPDATE time_entries SET end_time = start_time + interval '1 hour' WHERE is_active",
            {"total_focus_time_minutes": 60},
        ),
        (
            "UPDATE time_entries SET activity_type = 'focused' WHERE activity_type = 'break'",
            {"total_focus_time_minutes": 40 + 50},
        ),
        (
            "UPDATE time_entries SET activity_type = NULL WHERE duration_minutes = 60",
            {"total_focus_time_minutes": -60},
        ),
        ("DELETE FROM time_entries WHERE duration_minutes = 50", {"total_focus_time_minutes": -50}),
        ("DELETE FROM tasks", {"total_focus_time_minutes": -100, "total_tasks": -1}),
    ],
    "messages": [
        (
            "INSERT INTO ai_conversation_memory (user_id, message_role, message_content) VALUES (%(user)s, 'user',"
            " 'Hi'), (%(user)s, 'assistant', 'Yes?'), (%(user)s, 'user', 'Why?'), (%(user)s, 'system', 'Be kind')",
            {"total_ai_interactions": 2},
        ),
        (
            "UPDATE ai_conversation_memory SET message_role = 'user' WHERE message_role = 'system'",
            {"total_ai_interactions": 1},
        ),
        (
            "UPDATE ai_conversation_memory SET message_role = 'assistant' WHERE message_content = 'Hi'",
            {"total_ai_interactions": -1},
        ),
        ("DELETE FROM ai_conversation_memory", {"total_ai_interactions": -2}),
    ],
}


@pytest.mark.rule("AUR-18", "accepts")
@pytest.mark.parametrize("kind", CHANGES)
def test_counters_are_true_after_every_change(db: Person, world: World, kind: str) -> None:
    bob = counters(db, world.bob)
    values = {"user": world.ann.id, "area": world.ann.area, "project": world.ann.project, "task": world.ann.task}
    for sql, change in CHANGES[kind]:
        before = counters(db, world.ann)
        with db.as_user(world.ann.id):
            assert db.run(sql, values) > 0, sql
        after = counters(db, world.ann)
        assert {name: after[name] - before[name] for name in COUNTERS if after[name] != before[name]} == change, sql
    assert counters(db, world.bob) == bob


@pytest.mark.rule("AUR-18", "accepts")
def test_one_statement_counts_for_many_users(db: Person, world: World) -> None:
    with db.as_service():
        for sql in (
            "INSERT INTO tasks (user_id, project_id, name) SELECT p.user_id, p.id, 'T' FROM projects AS p"
            " CROSS JOIN generate_series(1, 3)",
            "UPDATE tasks SET completed = TRUE WHERE name = 'T'",
        ):
            db.run(sql)
    for user in (world.ann, world.bob):
        assert counters(db, user) == {
            **dict.fromkeys(COUNTERS, 0),
            "total_areas": 1,
            "total_projects": 1,
            "total_tasks": 4,
            "tasks_completed": 3,
        }
    with db.as_service():
        db.run("DELETE FROM projects")
    for user in (world.ann, world.bob):
        assert counters(db, user) == {**dict.fromkeys(COUNTERS, 0), "total_areas": 1}


@pytest.mark.rule("AUR-18", "accepts")
def test_the_first_thing_of_a_user_is_counted(db: Person) -> None:
    user = db.value("INSERT INTO auth.users (email) VALUES ('eve@example.org') RETURNING id")
    with db.as_user(user):
        assert db.rows("SELECT * FROM user_stats") == []
        insert(db, "areas", user_id=user, name="Home")
        row = db.row("SELECT *, last_updated = now() AS just_now FROM user_stats")
    assert (row.user_id, row.total_areas, row.total_tasks, row.just_now) == (user, 1, 0, True)


@pytest.mark.rule("AUR-18", "refuses")
def test_nobody_writes_what_is_counted(db: Person, world: World) -> None:
    derived = [
        *COUNTERS,
        *("ai_satisfaction_score", "average_task_completion_time", "task_estimation_accuracy"),
        *("weekly_active_days", "current_momentum_score"),
    ]
    find = f"SELECT {', '.join(derived)} FROM user_stats WHERE user_id = %s"
    before = db.row(find, [world.ann.id])
    sets = ", ".join(f"{name} = 1" for name in derived)
    for person in (db.as_user(world.ann.id), db.as_service()):
        with person:
            assert db.run(f"UPDATE user_stats SET {sets} WHERE user_id = %s", [world.ann.id]) == 1
            assert db.row(find, [world.ann.id]) == before
    user = db.value("INSERT INTO auth.users (email) VALUES ('eve@example.org') RETURNING id")
    with db.as_user(user):
        insert(db, "user_stats", user_id=user, **dict.fromkeys(derived, 1))
        assert [float(value) for value in db.row(find, [user]) if value is not None] == [*[0] * 11, 0.5]


@pytest.mark.rule("AUR-18", "accepts")
def test_user_stats_have_the_updated_at_they_lacked(connect: Callable[[], Person]) -> None:
    owner = connect()
    ann = build_world(owner).ann
    find = "SELECT updated_at, last_updated FROM user_stats WHERE user_id = %s"
    before = owner.row(find, [ann.id])
    add_task(owner, ann)
    after = owner.row(find, [ann.id])
    assert before.updated_at < after.updated_at
    assert before.last_updated < after.last_updated


@pytest.mark.rule("AUR-18", "accepts")
def test_two_sessions_at_once_are_both_counted(connect: Callable[[], Person]) -> None:
    one, other = connect(), connect()
    ann = build_world(one).ann
    one.run("BEGIN")
    add_task(one, ann)
    sql = "INSERT INTO tasks (user_id, project_id, name) VALUES (%s, %s, 'Swim')"
    with blocked(other, one, sql, [ann.id, ann.project]):
        one.run("COMMIT")
    assert counters(one, ann)["total_tasks"] == 3


@pytest.mark.rule("AUR-18", "accepts")
def test_many_sessions_that_change_everybodys_rows_get_along(connect: Callable[[], Person]) -> None:
    people = [connect() for _ in range(10)]
    world = build_world(people[0])
    rows = at_once(
        people,
        "WITH made AS (INSERT INTO tasks (user_id, project_id, name) SELECT p.user_id, p.id, 'T' FROM projects AS p"
        " ORDER BY random() RETURNING id) SELECT count(*) FROM made",
    )
    assert {row.count for row in rows} == {2}
    assert [counters(people[0], user)["total_tasks"] for user in (world.ann, world.bob)] == [11, 11]


@pytest.mark.rule("AUR-18", "accepts")
def test_a_deleted_account_takes_its_figures_along(db: Person, world: World) -> None:
    ann = world.ann
    for make in (find_out, spend, write, say, reflect):
        make(db, ann)
    say(db, ann, created_at="2020-01-01")
    with db.as_service():
        db.run("SELECT archive_old_conversations()")
        db.row(STATISTICS, [ann.id, "2026-01-05", "daily"])
    before = counters(db, world.bob)
    db.run("DELETE FROM auth.users WHERE id = %s", [ann.id])
    for table in ("user_stats", "user_statistics_cache", "tasks", "archived_conversation_memory", "insights"):
        assert db.rows(f"SELECT 1 FROM {table} WHERE user_id = %s", [ann.id]) == []
    assert counters(db, world.bob) == before


# What depends on time


def refreshed(db: Person, user: User) -> Any:
    """Refresh a user's figures and return them, those of the profile included."""
    with db.as_service():
        assert db.value("SELECT refresh_user_stats(%s)", [user.id]) == 1
    return db.row(
        "SELECT s.*, p.average_daily_completion_rate, p.total_focus_hours FROM user_stats AS s"
        " LEFT JOIN user_profiles AS p ON p.id = s.user_id WHERE s.user_id = %s",
        [user.id],
    )


def ago(db: Person, days: float, minutes: float = 0) -> Any:
    """Return the moment so long before the transaction's time."""
    return db.value("SELECT now() - %s * interval '24 hours' - %s * interval '1 minute'", [days, minutes])


@pytest.mark.rule("AUR-18", "accepts")
def test_average_task_completion_time_is_the_mean_of_90_days(db: Person, world: World) -> None:
    assert refreshed(db, world.ann).average_task_completion_time is None
    for days, minutes in ((1, 60), (89.9, 121)):
        add_task(db, world.ann, created_at=ago(db, days, minutes), completed_at=ago(db, days))
    add_task(db, world.ann, created_at=ago(db, 90.1, 5000), completed_at=ago(db, 90.1))
    add_task(db, world.ann, created_at=ago(db, 1, 5000), completed_at=ago(db, 1), archived=True)
    # Imported with a time of completion only.
    add_task(db, world.ann, created_at=ago(db, 0), completed_at=ago(db, 1))
    assert refreshed(db, world.ann).average_task_completion_time == 91


@pytest.mark.rule("AUR-18", "accepts")
def test_task_estimation_accuracy_is_the_lesser_divided_by_the_greater(db: Person, world: World) -> None:
    assert refreshed(db, world.ann).task_estimation_accuracy is None
    for estimated, actual, columns in (
        (30, 60, {"completed": True}),
        (60, 15, {"completed": True}),
        (60, 60, {"completed": True}),
        (0, 60, {"completed": True}),
        (60, 0, {"completed": True}),
        (60, None, {"completed": True}),
        (1, 60, {}),
        (1, 60, {"completed": True, "archived": True}),
    ):
        add_task(db, world.ann, estimated_duration=estimated, actual_duration=actual, **columns)
    assert float(refreshed(db, world.ann).task_estimation_accuracy) == 0.58


@pytest.mark.rule("AUR-18", "accepts")
def test_ai_satisfaction_score_is_five_times_the_share_that_was_helpful(db: Person, world: World) -> None:
    assert refreshed(db, world.ann).ai_satisfaction_score is None
    for days, helpful in ((0, True), (29.9, True), (1, False), (1, None), (30.1, False)):
        say(db, world.ann, was_helpful=helpful, created_at=ago(db, days))
    assert float(refreshed(db, world.ann).ai_satisfaction_score) == 3.33
    say(db, world.bob, was_helpful=False)
    assert refreshed(db, world.bob).ai_satisfaction_score == 0


@pytest.mark.rule("AUR-18", "accepts")
def test_weekly_active_days_are_those_with_anything_done(db: Person, world: World) -> None:
    # All was made today.
    assert refreshed(db, world.ann).weekly_active_days == 1
    days = 1
    for do in (
        lambda at: write(db, world.ann, created_at=at),
        lambda at: reflect(db, world.ann, created_at=at),
        lambda at: spend(db, world.ann, start_time=at, end_time=None),
        lambda at: say(db, world.ann, created_at=at),
        lambda at: add_task(db, world.ann, created_at=at, completed_at=at),
        lambda at: add_task(db, world.ann, created_at=ago(db, 99), completed_at=at),
    ):
        do(ago(db, days))
        days += 1
        assert refreshed(db, world.ann).weekly_active_days == days
    write(db, world.ann, created_at=ago(db, 1))
    # A week ago today is over, and tomorrow has not come.
    write(db, world.ann, created_at=ago(db, 7))
    spend(db, world.ann, start_time=ago(db, -1), end_time=None)
    assert refreshed(db, world.ann).weekly_active_days == 7
    assert refreshed(db, world.bob).weekly_active_days == 1


@pytest.mark.rule("AUR-18", "accepts")
@pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati", "Etc/GMT+12"])
def test_active_days_begin_at_the_users_midnight(db: Person, world: World, zone: str) -> None:
    db.run("UPDATE user_profiles SET timezone = %s", [zone])
    midnight = "SELECT date_trunc('day', now() AT TIME ZONE %s) AT TIME ZONE %s - %s::interval"
    for before, days in (("0", 1), ("1 second", 2), ("24 hours", 2), ("144 hours", 3), ("144 hours 1 second", 3)):
        write(db, world.ann, created_at=db.value(midnight, [zone, zone, before]))
        assert refreshed(db, world.ann).weekly_active_days == days, before


@pytest.mark.rule("AUR-18", "accepts")
def test_momentum_is_activity_and_progress(db: Person, world: World) -> None:
    # One day of seven, and no tasks completed at all.
    assert float(refreshed(db, world.ann).current_momentum_score) == round(0.5 / 7 + 0.25, 2) == 0.32
    for days in (6.99, 7.01, 13.99, 14.01):
        add_task(db, world.ann, created_at=ago(db, 99), completed_at=ago(db, days))
    row = refreshed(db, world.ann)
    assert float(row.current_momentum_score) == round(0.5 * row.weekly_active_days / 7 + 0.5 / 3, 2)
    for _ in range(6):
        add_task(db, world.ann, completed=True)
    add_task(db, world.ann, completed=True, archived=True)
    row = refreshed(db, world.ann)
    assert float(row.current_momentum_score) == round(0.5 * row.weekly_active_days / 7 + 0.5 * 7 / 9, 2)


@pytest.mark.rule("AUR-18", "accepts")
def test_the_profile_gets_its_share_of_completed_tasks_and_hours_of_focus(db: Person, world: World) -> None:
    for due, columns in (
        (0, {"completed": True}),
        (29.9, {"completed": True}),
        (1, {}),
        (30.1, {}),
        (-0.1, {}),
        (1, {"archived": True}),
    ):
        add_task(db, world.ann, due_date=ago(db, due), **columns)
    spend(db, world.ann, start_time=ago(db, 0, 100), end_time=ago(db, 0), activity_type="focused")
    row = refreshed(db, world.ann)
    assert (float(row.average_daily_completion_rate), float(row.total_focus_hours)) == (0.67, 1.67)
    row = refreshed(db, world.bob)
    assert (float(row.average_daily_completion_rate), float(row.total_focus_hours)) == (0, 0)


@pytest.mark.rule("AUR-18", "accepts")
def test_the_job_refreshes_everybody(db: Person, world: World) -> None:
    db.run("DELETE FROM user_profiles WHERE id = %s", [world.bob.id])
    for user in (world.ann, world.bob):
        say(db, user, was_helpful=True)
    with db.as_service():
        assert db.value("SELECT refresh_user_stats(%s)", [world.ann.id]) == 1
        assert db.value("SELECT count(*) FROM user_stats WHERE ai_satisfaction_score = 5") == 1
        assert db.value("SELECT refresh_user_stats(%s)", [uuid4()]) == 0
        assert db.value("SELECT refresh_user_stats()") == 2
        assert db.value("SELECT count(*) FROM user_stats WHERE ai_satisfaction_score = 5") == 2


@pytest.mark.rule("AUR-18", "accepts")
def test_who_has_nothing_that_is_counted_gets_figures_all_the_same(db: Person) -> None:
    makers = {
        "user_profiles": "INSERT INTO user_profiles (id) VALUES (%s)",
        "pillars": "INSERT INTO pillars (user_id, name) VALUES (%s, 'Health')",
        "daily_reflections": "INSERT INTO daily_reflections (user_id, reflection_text) VALUES (%s, 'Well')",
    }
    users = {}
    for table, sql in makers.items():
        users[table] = db.value("INSERT INTO auth.users (email) VALUES (%s) RETURNING id", [f"{table}@aurum.example"])
        db.run(sql, [users[table]])
    others = db.value("INSERT INTO auth.users (email) VALUES ('elsewhere@aurum.example') RETURNING id")
    assert db.value("SELECT refresh_user_stats(%s)", [users["pillars"]]) == 1
    with db.as_service():
        db.run("SELECT refresh_user_stats()")
        db.run("SELECT refresh_all_statistics()")
    for table in ("user_stats", "user_statistics_cache"):
        found = {user for (user,) in db.rows(f"SELECT DISTINCT user_id FROM {table}")}
        assert set(users.values()) <= found and others not in found, table
