"""The report on data quality: it finds what was forced in, and nothing after thousands of ordinary changes."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest

from tests.aurum.world import User, World, add_task, build_world, find_out, say, spend, write
from tests.people import Person, insert

REPORT = "SELECT * FROM data_quality_report()"


def report(db: Person) -> dict[str, int]:
    with db.as_service():
        return dict(db.rows(REPORT))


@pytest.fixture
def forced(db: Person) -> Callable[[str, dict[str, Any]], None]:
    """Run a statement that no trigger and no foreign key looks at."""

    def run(sql: str, values: dict[str, Any]) -> None:
        db.run("SET LOCAL session_replication_role = replica")
        assert db.run(sql, values) != 0
        db.run("SET LOCAL session_replication_role = origin")

    return run


# What the report finds: a statement, and every violation that it makes.
PLACE_OF_PROJECT = "projects: pillar_id is not that of the area"
PLACE_OF_TASK = "tasks: area_id or pillar_id is not that of the project"
DEPENDENCY = "tasks: depends on itself, on nothing, or on what is not a task of the same user"
INSIGHT = "insights: about what does not exist or is another user's"
TIME_ENTRY = "time_entries: spent on what does not exist or is another user's"
VERSION = "insights: not the successor of the previous version"
COUNTERS = "user_stats: counters that are not true"
ADD_INSIGHT = (
    "INSERT INTO insights (user_id, entity_type, entity_id, insight_type, title, summary, detailed_reasoning, "
    "confidence_score, is_active) VALUES (%(ann)s, '{}', {}, 'recommendation', 'Rest', 'Rest', '{{}}', 0.5, FALSE)"
)
ADD_TIME_ENTRY = (
    "INSERT INTO time_entries (user_id, entity_type, entity_id, start_time) VALUES (%(ann)s, '{}', {}, now())"
)
VIOLATIONS: list[tuple[str, dict[str, int]]] = [
    (
        "UPDATE areas SET pillar_id = %(bob_pillar)s WHERE id = %(area)s",
        {"areas: the pillar is another user's": 1, PLACE_OF_PROJECT: 1, PLACE_OF_TASK: 2},
    ),
    (
        "UPDATE projects SET area_id = %(bob_area)s, pillar_id = %(bob_pillar)s WHERE id = %(project)s",
        {"projects: the area is another user's": 1, PLACE_OF_TASK: 2},
    ),
    ("UPDATE projects SET pillar_id = NULL WHERE id = %(project)s", {PLACE_OF_PROJECT: 1}),
    ("UPDATE projects SET pillar_id = %(other_pillar)s WHERE id = %(project)s", {PLACE_OF_PROJECT: 1}),
    (
        "UPDATE tasks SET project_id = %(bob_project)s, area_id = %(bob_area)s, pillar_id = %(bob_pillar)s "
        "WHERE id = %(task)s",
        {"tasks: the project is another user's": 1},
    ),
    ("UPDATE tasks SET area_id = NULL WHERE id = %(task)s", {PLACE_OF_TASK: 1}),
    ("UPDATE tasks SET pillar_id = %(other_pillar)s WHERE user_id = %(ann)s", {PLACE_OF_TASK: 2}),
    (
        "UPDATE tasks SET parent_task_id = %(bob_task)s WHERE id = %(task)s",
        {"tasks: the parent task is another user's": 1},
    ),
    ("UPDATE tasks SET parent_task_id = id WHERE id = %(task)s", {"tasks: its own ancestor": 1}),
    # The second task is below the first already; a third one below a circle is in none.
    ("UPDATE tasks SET parent_task_id = %(second)s WHERE id = %(task)s", {"tasks: its own ancestor": 2}),
    ("UPDATE tasks SET dependency_task_ids = ARRAY[id] WHERE id = %(task)s", {DEPENDENCY: 1}),
    ("UPDATE tasks SET dependency_task_ids = ARRAY[NULL]::uuid[] WHERE id = %(task)s", {DEPENDENCY: 1}),
    (
        "UPDATE tasks SET dependency_task_ids = ARRAY[%(second)s, %(bob_task)s, gen_random_uuid()] "
        "WHERE id = %(task)s",
        {DEPENDENCY: 2},
    ),
    *(
        (add.format(kind, entity), {found: 1, **missing})
        for add, found, missing in (
            (ADD_INSIGHT, INSIGHT, {COUNTERS: 1}),
            (ADD_TIME_ENTRY, TIME_ENTRY, {}),
        )
        for kind in ("pillar", "area", "project", "task")
        for entity in ("gen_random_uuid()", f"%(bob_{kind})s", "%(other_kind)s")
    ),
    ("UPDATE insights SET version = 3 WHERE id = %(newer)s", {VERSION: 1}),
    ("UPDATE insights SET is_active = TRUE WHERE id = %(older)s", {VERSION: 1}),
    ("UPDATE insights SET entity_type = 'project', entity_id = %(project)s WHERE id = %(newer)s", {VERSION: 1}),
    *(
        (f"UPDATE user_stats SET {column} = {column} + 1 WHERE user_id = %(ann)s", {COUNTERS: 1})
        for column in (
            "total_journal_entries", "total_tasks", "tasks_completed", "total_areas", "total_projects",
            "completed_projects", "total_ai_interactions", "insights_generated", "insights_applied",
            "total_focus_time_minutes",
        )
    ),
    ("UPDATE user_stats SET total_tasks = NULL", {COUNTERS: 2}),
    ("DELETE FROM user_stats WHERE user_id = %(ann)s", {"user_stats: missing": 1}),
    (
        "ALTER TABLE tasks ADD CONSTRAINT tasks_name_check CHECK (name <> '') NOT VALID",
        {"constraints: not validated": 1},
    ),
]  # fmt: skip


def furnish(db: Person, world: World) -> dict[str, Any]:
    """Give Ann and Bob some of everything, and return the ids under which the violations know it."""
    ann, bob = world.ann, world.bob
    second = add_task(db, ann, parent_task_id=ann.task, dependency_task_ids=[ann.task])
    older = find_out(db, ann, entity_type="task", entity_id=ann.task)
    newer = find_out(db, ann, entity_type="task", entity_id=ann.task, previous_version_id=older)
    for kind in ("pillar", "area", "project", "task"):
        spend(db, ann, entity_type=kind, entity_id=getattr(ann, kind), activity_type="focused")
        find_out(db, bob, entity_type=kind, entity_id=getattr(bob, kind))
    find_out(db, bob)
    write(db, ann)
    say(db, ann)
    insert(db, "tasks", user_id=ann.id, name="Far below", project_id=ann.project, archived=True)
    db.run("DELETE FROM tasks WHERE name = 'Far below'")
    return {
        "ann": ann.id,
        **{name: getattr(ann, name) for name in ("pillar", "area", "project", "task")},
        **{f"bob_{name}": getattr(bob, name) for name in ("pillar", "area", "project", "task")},
        "second": second,
        "older": older,
        "newer": newer,
        "other_pillar": insert(db, "pillars", user_id=ann.id, name="Work"),
        # A row of the same user, but of no table that has entities.
        "other_kind": write(db, ann),
    }


@pytest.mark.rule("AUR-24", "refuses")
@pytest.mark.parametrize(("sql", "found"), VIOLATIONS)
def test_what_was_forced_in_is_found(
    db: Person, world: World, forced: Callable[..., None], sql: str, found: dict[str, int]
) -> None:
    ids = furnish(db, world)
    assert report(db) == {}
    forced(sql, ids)
    assert report(db) == found


@pytest.mark.rule("AUR-24", "refuses")
def test_users_do_not_read_the_report(db: Person, world: World) -> None:
    with db.as_user(world.ann.id), db.refused(sqlstate="42501"):
        db.rows(REPORT)


# Ten thousand changes

# A statement that is refused does not happen; the others of its batch do.
ATTEMPT = """
CREATE FUNCTION pg_temp.attempt(p_sql text, OUT touched bigint, OUT refused text)
LANGUAGE plpgsql
AS $$
BEGIN
    EXECUTE p_sql;
    GET DIAGNOSTICS touched = ROW_COUNT;
EXCEPTION
    WHEN OTHERS THEN
        touched := 0;
        GET STACKED DIAGNOSTICS refused = RETURNED_SQLSTATE;
END;
$$
"""
# Missing parents, rules and limits, another version of an insight, rows of others, no such insight.
REFUSALS = {"23503", "23514", "23505", "42501", "P0002"}
KINDS = ["pillars", "areas", "projects", "tasks", "journal_entries"]
ABOVE = {"areas": ("pillar_id", "pillars"), "projects": ("area_id", "areas"), "tasks": ("project_id", "projects")}
STATUSES = ["todo", "in_progress", "review", "completed", "cancelled"]
PROJECT_STATUSES = ["not_started", "in_progress", "completed", "on_hold", "cancelled", "Completed", "In Progress"]


@dataclass
class Life:
    """A user, and the ids of all that was ever to be theirs: some never came to be, some are gone."""

    user: User
    ids: dict[str, list[str]] = field(default_factory=dict)


class Changes:
    """Random statements, each for one user or in that user's name."""

    def __init__(self, users: list[User], seed: int) -> None:
        self.random = random.Random(seed)
        self.lives = [
            Life(
                user,
                {
                    "pillars": [str(user.pillar)],
                    "areas": [str(user.area)],
                    "projects": [str(user.project)],
                    "tasks": [str(user.task)],
                },
            )
            for user in users
        ]
        self.kinds: dict[str, tuple[Callable[[Life], str], int]] = {
            "create": (self.create, 30),
            "move": (self.move, 14),
            "move many": (self.move_many, 3),
            "archive": (self.archive, 10),
            "archive many": (self.archive_many, 1),
            "complete": (self.complete, 12),
            "complete many": (self.complete_many, 1),
            "edit": (self.edit, 6),
            "relate": (self.relate, 8),
            "delete": (self.delete, 5),
            "insight": (self.insight, 6),
            "time entry": (self.time_entry, 6),
            "message": (self.message, 4),
            "claim": (self.claim, 2),
            "mistake": (self.mistake, 2),
        }

    def batch(self, life: Life, size: int) -> list[tuple[str, str]]:
        names = self.random.choices(list(self.kinds), [weight for _, weight in self.kinds.values()], k=size)
        return [(name, self.kinds[name][0](life)) for name in names]

    def new(self, life: Life, table: str) -> str:
        id = str(UUID(int=self.random.getrandbits(128), version=4))
        life.ids.setdefault(table, []).append(id)
        return f"'{id}'"

    def some(self, life: Life, table: str) -> str:
        """One of the last rows of a user, seldom of another."""
        owner = self.random.choice(self.lives) if self.random.random() < 0.03 else life
        ids = owner.ids.get(table) or life.ids["tasks"]
        return f"'{self.random.choice(ids[-150:])}'"

    def pick(self, *values: Any) -> str:
        value = self.random.choice(values)
        return "NULL" if value is None else f"'{value}'"

    def time(self) -> str:
        return f"now() + interval '{self.random.randint(-40, 40)} days'"

    def create(self, life: Life) -> str:
        (table,) = self.random.choices(KINDS, [1, 2, 5, 25, 4])
        values = {"id": self.new(life, table), "user_id": f"'{life.user.id}'"}
        if table == "journal_entries":
            values |= {"title": "'Today'", "content": "'A good day'"}
        else:
            values["name"] = "'New'"
        if table in ABOVE:
            column, above = ABOVE[table]
            values[column] = self.some(life, above)
        if table == "tasks":
            values |= {
                "status": self.pick(*STATUSES, None),
                "completed": self.pick(True, False, False, None),
                "priority": self.pick("low", "medium", "high", "urgent", None),
                "due_date": self.random.choice(["NULL", self.time()]),
            }
        if table == "projects":
            values["status"] = self.pick(*PROJECT_STATUSES, None)
        if self.random.random() < 0.1:
            values["archived"] = "TRUE"
        return f"INSERT INTO {table} ({', '.join(values)}) VALUES ({', '.join(values.values())})"

    def move(self, life: Life) -> str:
        (table,) = self.random.choices(list(ABOVE), [1, 3, 9])
        column, above = ABOVE[table]
        # Without a pillar an area still has a place.
        to = "NULL" if table == "areas" and self.random.random() < 0.2 else self.some(life, above)
        return f"UPDATE {table} SET {column} = {to} WHERE id = {self.some(life, table)}"

    def move_many(self, life: Life) -> str:
        (table,) = self.random.choices(list(ABOVE), [1, 2, 4])
        column, above = ABOVE[table]
        to = ", ".join(self.some(life, above) for _ in range(3))
        return (
            f"UPDATE {table} SET {column} = (ARRAY[{to}]::uuid[])[1 + abs(hashtext(id::text)) % 3] "
            f"WHERE {column} IN ({self.some(life, above)}, {self.some(life, above)})"
        )

    def archive(self, life: Life) -> str:
        table = self.random.choice(KINDS)
        setting = self.random.choice(
            [
                "archived = TRUE",
                "archived = FALSE",
                "archived = NOT archived",
                "archived_at = now()",
                "archived_at = NULL",
            ]
        )
        return f"UPDATE {table} SET {setting} WHERE id = {self.some(life, table)}"

    def archive_many(self, life: Life) -> str:
        table = self.random.choice(list(ABOVE))
        column, above = ABOVE[table]
        return f"UPDATE {table} SET archived = NOT archived WHERE {column} = {self.some(life, above)}"

    def complete(self, life: Life) -> str:
        if self.random.random() < 0.2:
            return (
                f"UPDATE projects SET status = {self.pick(*PROJECT_STATUSES)} WHERE id = {self.some(life, 'projects')}"
            )
        settings = [
            f"status = {self.pick(*STATUSES, None)}",
            f"completed = {self.pick(True, False, None)}",
            self.random.choice(["completed_at = NULL", f"completed_at = {self.time()}"]),
        ]
        chosen = self.random.sample(settings, self.random.randint(1, 3))
        return f"UPDATE tasks SET {', '.join(chosen)} WHERE id = {self.some(life, 'tasks')}"

    def complete_many(self, life: Life) -> str:
        return f"UPDATE tasks SET completed = NOT completed WHERE project_id = {self.some(life, 'projects')}"

    def edit(self, life: Life) -> str:
        table = self.random.choice(KINDS[:4])
        extra = {
            "tasks": f", priority = {self.pick('low', 'urgent')}, due_date = {self.time()}, pillar_id = NULL",
            "projects": ", completion_percentage = 50, pillar_id = gen_random_uuid()",
        }
        return f"UPDATE {table} SET name = 'Other'{extra.get(table, '')} WHERE id = {self.some(life, table)}"

    def relate(self, life: Life) -> str:
        if self.random.random() < 0.6:
            setting = f"parent_task_id = {self.random.choice(['NULL', *[self.some(life, 'tasks') for _ in range(4)]])}"
        else:
            others = ", ".join(self.some(life, "tasks") for _ in range(self.random.randint(0, 3)))
            setting = f"dependency_task_ids = ARRAY[{others}]::uuid[]"
        return f"UPDATE tasks SET {setting} WHERE id = {self.some(life, 'tasks')}"

    def delete(self, life: Life) -> str:
        tables = [*KINDS, "insights", "time_entries", "ai_conversation_memory"]
        (table,) = self.random.choices(tables, [1, 1, 2, 40, 10, 10, 10, 10])
        return f"DELETE FROM {table} WHERE id = {self.some(life, table)}"

    def entity(self, life: Life) -> tuple[str, str]:
        table = self.random.choice(KINDS[:4])
        return f"'{table.removesuffix('s')}'", self.some(life, table)

    def insight(self, life: Life) -> str:
        what = self.random.random()
        if what < 0.3 and life.ids.get("insights"):
            feedback = self.pick("accepted", "modified", "rejected", "ignored")
            return f"SELECT record_insight_feedback({self.some(life, 'insights')}, {feedback})"
        if what < 0.5 and life.ids.get("insights"):
            previous = self.some(life, "insights")
            return (
                "INSERT INTO insights (id, user_id, entity_type, entity_id, insight_type, title, summary, "
                f"detailed_reasoning, confidence_score, previous_version_id) SELECT {self.new(life, 'insights')}, "
                "user_id, entity_type, entity_id, insight_type, 'Again', summary, '{}', 0.9, id FROM insights "
                f"WHERE id = {previous}"
            )
        kind, id = self.entity(life) if what < 0.9 else ("'global'", "NULL")
        return (
            "INSERT INTO insights (id, user_id, entity_type, entity_id, insight_type, title, summary, "
            f"detailed_reasoning, confidence_score) VALUES ({self.new(life, 'insights')}, '{life.user.id}', {kind}, "
            f"{id}, 'recommendation', 'Rest', 'Rest more', '{{}}', 0.5)"
        )

    def time_entry(self, life: Life) -> str:
        kind, id = self.entity(life)
        activity = self.pick("focused", "focused", "meeting", None)
        end = self.random.choice(["NULL", f"now() + interval '{self.random.randint(1, 300)} minutes'"])
        if self.random.random() < 0.4:
            about = f", entity_type = {kind}, entity_id = {id}" if self.random.random() < 0.5 else ""
            return (
                f"UPDATE time_entries SET activity_type = {activity}, end_time = {end}{about} "
                f"WHERE id = {self.some(life, 'time_entries')}"
            )
        return (
            "INSERT INTO time_entries (id, user_id, entity_type, entity_id, start_time, end_time, activity_type) "
            f"VALUES ({self.new(life, 'time_entries')}, '{life.user.id}', {kind}, {id}, now(), {end}, {activity})"
        )

    def message(self, life: Life) -> str:
        if self.random.random() < 0.2:
            return (
                f"UPDATE ai_conversation_memory SET message_role = {self.pick('user', 'assistant')} "
                f"WHERE id = {self.some(life, 'ai_conversation_memory')}"
            )
        return (
            "INSERT INTO ai_conversation_memory (id, user_id, message_role, message_content, created_at) VALUES "
            f"({self.new(life, 'ai_conversation_memory')}, '{life.user.id}', {self.pick('user', 'assistant')}, "
            f"'Hello', now() - interval '{self.random.randint(0, 400)} days')"
        )

    def claim(self, life: Life) -> str:
        """What the database keeps is claimed to be otherwise."""
        return self.random.choice(
            [
                f"UPDATE user_stats SET total_tasks = 0, tasks_completed = 7 WHERE user_id = '{life.user.id}'",
                f"INSERT INTO user_stats (user_id, total_tasks) VALUES ('{life.user.id}', 5) "
                "ON CONFLICT (user_id) DO UPDATE SET total_tasks = 5",
                f"UPDATE tasks SET area_id = {self.some(life, 'areas')} WHERE id = {self.some(life, 'tasks')}",
                f"UPDATE insights SET application_count = 9 WHERE id = {self.some(life, 'insights')}",
                f"UPDATE time_entries SET is_active = NOT is_active WHERE id = {self.some(life, 'time_entries')}",
            ]
        )

    def mistake(self, life: Life) -> str:
        task = self.some(life, "tasks")
        return self.random.choice(
            [
                f"UPDATE tasks SET parent_task_id = id WHERE id = {task}",
                f"UPDATE tasks SET status = 'done' WHERE id = {task}",
                f"UPDATE tasks SET user_id = gen_random_uuid() WHERE id = {task}",
                f"UPDATE projects SET area_id = gen_random_uuid() WHERE id = {self.some(life, 'projects')}",
            ]
        )


def assert_all_is_as_computed(db: Person) -> None:
    """Compare what the database keeps with what its rows say, computed here."""
    areas = {row.id: row for row in db.rows("SELECT * FROM areas")}
    projects = {row.id: row for row in db.rows("SELECT * FROM projects")}
    tasks = {row.id: row for row in db.rows("SELECT * FROM tasks")}
    pillars = dict(db.rows("SELECT id, user_id FROM pillars"))

    for area in areas.values():
        assert area.pillar_id is None or pillars[area.pillar_id] == area.user_id
    for project in projects.values():
        area = areas[project.area_id]
        assert (project.user_id, project.pillar_id) == (area.user_id, area.pillar_id)
    for task in tasks.values():
        area = areas[projects[task.project_id].area_id]
        assert (task.user_id, task.area_id, task.pillar_id) == (area.user_id, area.id, area.pillar_id)
        assert task.completed is (task.status == "completed") is (task.completed_at is not None)
        assert task.archived is (task.archived_at is not None)
        above, climbed = task.parent_task_id, {task.id}
        while above:
            assert above not in climbed
            climbed.add(above)
            assert tasks[above].user_id == task.user_id
            above = tasks[above].parent_task_id
        for other in task.dependency_task_ids or []:
            assert other != task.id
            assert tasks[other].user_id == task.user_id

    counted: dict[UUID, Counter[str]] = {}
    for user, name, number in counts(db, areas, projects, tasks):
        counted.setdefault(user, Counter())[name] += number
    kept = {row.user_id: row._asdict() for row in db.rows("SELECT * FROM user_stats")}
    assert kept.keys() == counted.keys()
    for user, numbers in counted.items():
        assert {name: kept[user][name] for name in numbers} == dict(numbers)
        assert len(numbers) == 10


def counts(
    db: Person, areas: dict[UUID, Any], projects: dict[UUID, Any], tasks: dict[UUID, Any]
) -> Iterator[tuple[UUID, str, int]]:
    """What each row adds to which counter of whom."""
    for row in areas.values():
        yield row.user_id, "total_areas", not row.archived
    for row in projects.values():
        yield row.user_id, "total_projects", not row.archived
        yield row.user_id, "completed_projects", not row.archived and row.status == "completed"
    for row in tasks.values():
        yield row.user_id, "total_tasks", not row.archived
        yield row.user_id, "tasks_completed", not row.archived and row.completed
    for row in db.rows("SELECT user_id, archived FROM journal_entries"):
        yield row.user_id, "total_journal_entries", not row.archived
    for row in db.rows("SELECT user_id, application_count FROM insights"):
        yield row.user_id, "insights_generated", 1
        yield row.user_id, "insights_applied", row.application_count > 0
    for row in db.rows("SELECT user_id, activity_type, duration_minutes FROM time_entries"):
        focused = row.activity_type == "focused"
        yield row.user_id, "total_focus_time_minutes", (row.duration_minutes or 0) if focused else 0
    for table in ("ai_conversation_memory", "archived_conversation_memory"):
        for row in db.rows(f"SELECT user_id, message_role FROM {table}"):
            yield row.user_id, "total_ai_interactions", row.message_role == "user"


def assert_statistics_are_as_computed(db: Person, user: User) -> None:
    """Compare a user's statistics of today with the rows."""
    stats = db.row(
        "SELECT * FROM user_statistics_cache WHERE user_id = %s AND stat_date = current_date AND stat_type = 'daily'",
        [user.id],
    )
    tasks = db.rows("SELECT *, now() AS now FROM tasks WHERE user_id = %s AND NOT archived", [user.id])
    overdue = [task for task in tasks if not task.completed and task.due_date and task.due_date < task.now]
    assert {name: stats.task_stats[name] for name in ("total", "open", "completed", "overdue")} == {
        "total": len(tasks),
        "open": sum(not task.completed for task in tasks),
        "completed": sum(task.completed for task in tasks),
        "overdue": len(overdue),
    }
    assert stats.task_stats["by_status"] == Counter(task.status or "none" for task in tasks)
    assert stats.task_stats["by_priority"] == Counter(task.priority or "none" for task in tasks)

    for table, column, kept in (
        ("pillars", "pillar_id", stats.pillar_stats),
        ("areas", "area_id", stats.area_stats),
        ("projects", "project_id", stats.project_stats),
    ):
        standing = db.rows(f"SELECT id FROM {table} WHERE user_id = %s AND NOT archived", [user.id])
        assert kept.keys() == {str(row.id) for row in standing}
        for id, numbers in kept.items():
            below = [task for task in tasks if str(getattr(task, column)) == id]
            assert (numbers["tasks"], numbers["completed"]) == (len(below), sum(task.completed for task in below))


@pytest.mark.rule("AUR-24", "accepts")
@pytest.mark.rule("AUR-03", "accepts")
@pytest.mark.rule("AUR-18", "accepts")
@pytest.mark.rule("AUR-17", "accepts")
def test_ten_thousand_changes_leave_all_as_computed_from_scratch(connect: Callable[[], Person]) -> None:
    # Each batch commits: in one transaction all versions of a row would be looked through for each change.
    db = connect()
    world = build_world(db)
    users = [world.ann, world.bob]
    changes = Changes(users, seed=20260105)
    db.run(ATTEMPT)
    touched: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    for number in range(100):
        life = changes.lives[number % 2]
        statements = changes.batch(life, 100)
        # A service acts for both.
        with db.as_service() if number % 5 == 4 else db.as_user(life.user.id):
            outcomes = db.rows(
                "SELECT a.touched, a.refused FROM unnest(%s::text[]) WITH ORDINALITY AS s (sql, n), "
                "pg_temp.attempt(s.sql) AS a ORDER BY s.n",
                [[sql for _, sql in statements]],
            )
        touched.update(name for (name, _), outcome in zip(statements, outcomes, strict=True) if outcome.touched)
        refused.update(outcome.refused for outcome in outcomes if outcome.refused)
        if number % 25 == 24:
            with db.as_service():
                db.run("SELECT archive_old_conversations(), expire_insights()")
            assert report(db) == {}
            assert_all_is_as_computed(db)

    # Most happened, of every kind but mistakes, and what was refused was refused for a reason.
    assert touched.keys() == changes.kinds.keys() - {"mistake"}
    assert sum(touched.values()) > 6000
    assert sum(refused.values()) > 500
    assert refused.keys() <= REFUSALS
    with db.as_service():
        db.run("SELECT refresh_all_statistics()")
    for user in users:
        assert_statistics_are_as_computed(db, user)
