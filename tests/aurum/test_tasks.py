"""What stands in the five tables of the hierarchy and the journal: completion, archiving, statuses, ranges, times."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from datetime import datetime, timezone
from itertools import product
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.aurum.world import User, World, add_task, write
from tests.people import Person, insert
from tests.vectors import vector

TABLES = ["pillars", "areas", "projects", "tasks", "journal_entries"]
LONG_AGO = datetime(2020, 1, 1, tzinfo=timezone.utc)
LATER = datetime(2021, 1, 1, tzinfo=timezone.utc)
LEVELS = ["very_low", "low", "moderate", "high", "very_high"]
MOODS = [
    "optimistic", "inspired", "reflective", "challenging", "anxious", "grateful", "excited", "frustrated", "peaceful",
    "motivated",
]  # fmt: skip
UNIT = ([0, 0.5, 1, None], [-0.01, 1.01, 2, "NaN"])
IMPORTANCE = ([1, 5, None], [0, 6, -1])
COUNT = ([0, 1000, None], [-1])
EMBEDDING = ([vector(1), vector(0.01), None], [vector(0), vector(1e-20), vector(1e16)])

# What each constraint accepts and refuses, by table and column.
RANGES: dict[tuple[str, str], tuple[str, list[Any], list[Any]]] = {
    ("areas", "importance"): ("chk_area_importance", *IMPORTANCE),
    ("projects", "status"): (
        "chk_project_status",
        ["not_started", "in_progress", "completed", "on_hold", "cancelled", None],
        ["", "todo", "NOT_STARTED", "not started", "Cancelled", " completed"],
    ),
    ("projects", "priority"): ("chk_project_priority", ["low", "medium", "high", None], ["urgent", "", "High"]),
    ("projects", "importance"): ("chk_project_importance", *IMPORTANCE),
    ("projects", "completion_percentage"): (
        "chk_completion_percentage",
        [0, 33.33, 100, None],
        [-0.01, 100.01, "NaN"],
    ),
    ("projects", "hrm_coherence_score"): ("projects_hrm_coherence_score_check", *UNIT),
    ("projects", "hrm_health_score"): ("projects_hrm_health_score_check", *UNIT),
    ("projects", "estimated_hours"): ("projects_estimated_hours_check", *COUNT),
    ("projects", "actual_hours_spent"): (
        "projects_actual_hours_spent_check",
        [0, 0.25, 9999.99, None],
        [-0.01, "NaN"],
    ),
    ("projects", "combined_embedding"): ("projects_combined_embedding_check", *EMBEDDING),
    ("tasks", "status"): (
        "chk_task_status",
        ["todo", "in_progress", "review", "completed", "cancelled", None],
        ["", "done", "Completed", "not_started"],
    ),
    ("tasks", "priority"): ("chk_task_priority", ["low", "medium", "high", "urgent", None], ["", "critical", "Low"]),
    ("tasks", "kanban_column"): (
        "tasks_kanban_column_check",
        ["to_do", "in_progress", "review", "done", None],
        ["", "todo", "completed"],
    ),
    ("tasks", "hrm_priority_score"): ("tasks_hrm_priority_score_check", *UNIT),
    ("tasks", "hrm_alignment_score"): ("tasks_hrm_alignment_score_check", *UNIT),
    ("tasks", "obstacle_risk"): ("tasks_obstacle_risk_check", ["low", "medium", "high", None], ["", "urgent"]),
    ("tasks", "actual_duration"): ("tasks_behavior_check", *COUNT),
    ("tasks", "focus_time_minutes"): ("tasks_behavior_check", *COUNT),
    ("tasks", "interruption_count"): ("tasks_behavior_check", *COUNT),
    ("tasks", "context_switches"): ("tasks_behavior_check", *COUNT),
    ("tasks", "energy_level_at_start"): ("tasks_energy_level_at_start_check", [*LEVELS, None], ["", "medium"]),
    ("tasks", "energy_level_at_completion"): (
        "tasks_energy_level_at_completion_check",
        [*LEVELS, None],
        ["", "medium"],
    ),
    ("tasks", "description_embedding"): ("tasks_embeddings_check", *EMBEDDING),
    ("tasks", "name_embedding"): ("tasks_embeddings_check", *EMBEDDING),
    ("journal_entries", "mood"): ("journal_entries_mood_check", [*MOODS, None], ["", "happy", "Inspired"]),
    ("journal_entries", "energy_level"): ("journal_entries_energy_level_check", [*LEVELS, None], ["", "medium"]),
    ("journal_entries", "sentiment_score"): (
        "journal_entries_sentiment_score_check",
        [-1, 0, 1, None],
        [-1.01, 1.01, "NaN"],
    ),
    ("journal_entries", "content_embedding"): ("journal_entries_embeddings_check", *EMBEDDING),
    ("journal_entries", "title_embedding"): ("journal_entries_embeddings_check", *EMBEDDING),
}

# What a client changes: of these updated_at tells.
CONTENT: dict[str, dict[str, Any]] = {
    "pillars": {
        "name": "Wealth", "description": "All", "icon": "x", "color": "#000000", "sort_order": 7, "archived": True,
        "time_allocation_percentage": 12.5,
    },
    "areas": {
        "pillar_id": None, "name": "Games", "description": "All", "icon": "x", "color": "#000000", "importance": 5,
        "archived": True, "sort_order": 7,
    },
    "projects": {
        "name": "Triathlon", "description": "All", "icon": "x", "deadline": LATER, "status": "on_hold",
        "priority": "high", "importance": 5, "completion_percentage": 50, "archived": True, "sort_order": 7,
        "hrm_coherence_score": 0.1, "hrm_risk_assessment": "low", "hrm_suggested_adjustments": "{}",
        "hrm_health_score": 0.1, "estimated_hours": 7, "actual_hours_spent": 7, "last_activity_date": LATER,
    },
    "tasks": {
        "name": "Walk", "description": "All", "status": "review", "priority": "high", "due_date": LATER,
        "completed": True, "completed_at": LATER, "kanban_column": "done", "sort_order": 7, "estimated_duration": 7,
        "archived": True, "hrm_priority_score": 0.1, "hrm_alignment_score": 0.1, "hrm_reasoning_summary": "x",
        "hrm_last_analyzed": LATER, "ai_suggested_timeblock": "x", "obstacle_risk": "low", "actual_duration": 7,
        "actual_start_time": LATER, "actual_end_time": LATER, "focus_time_minutes": 7, "interruption_count": 7,
        "context_switches": 7, "energy_level_at_start": "low", "energy_level_at_completion": "low",
        "dependency_task_ids": None,
    },
    "journal_entries": {
        "title": "Yesterday", "content": "A bad day", "mood": "grateful", "energy_level": "low", "tags": ["x"],
        "word_count": 7, "reading_time_minutes": 7, "archived": True, "ai_insights_generated": True,
        "sentiment_score": 0.5,
    },
}  # fmt: skip
# What the database keeps by itself, or a worker stores, is no change of the row.
EMBEDDED = {"embedding_model": "other", "embedding_updated_at": LATER, "embedding_hash": "x"}
DERIVED: dict[str, dict[str, Any]] = {
    "projects": {"combined_embedding": vector(1), **EMBEDDED},
    "tasks": {"description_embedding": vector(1), "name_embedding": vector(1), **EMBEDDED},
    "journal_entries": {"content_embedding": vector(1), "title_embedding": vector(1), **EMBEDDED},
}


def add(db: Person, user: User, table: str, **columns: Any) -> UUID:
    """Insert a row of a table and return its id."""
    if table == "journal_entries":
        return write(db, user, **columns)
    parent = {
        "areas": {"pillar_id": user.pillar},
        "projects": {"area_id": user.area},
        "tasks": {"project_id": user.project},
    }
    return insert(db, table, **{"user_id": user.id, "name": "New", **parent.get(table, {}), **columns})


def change(db: Person, table: str, which: UUID, **columns: Any) -> int:
    settings = ", ".join(f"{name} = %({name})s" for name in columns)
    return db.run(f"UPDATE {table} SET {settings} WHERE id = %(which)s", {**columns, "which": which})


def row(db: Person, table: str, which: UUID) -> Any:
    return db.row(f"SELECT * FROM {table} WHERE id = %s", [which])


def acting(db: Person, user: User, as_whom: str) -> AbstractContextManager[Any]:
    return {"user": db.as_user(user.id), "service": db.as_service(), "owner": nullcontext()}[as_whom]


def now(db: Person) -> datetime:
    return db.value("SELECT now()")


# Completion


@pytest.mark.rule("AUR-05", "accepts")
@pytest.mark.parametrize("as_whom", ["user", "service"])
def test_a_new_task_is_done_if_anything_says_so(db: Person, world: World, as_whom: str) -> None:
    left_out = object()
    statuses = [left_out, "todo", "in_progress", "review", "completed", "cancelled", None]
    with acting(db, world.ann, as_whom):
        for status, completed, at in product(
            statuses, [left_out, True, False, None], [left_out, None, LATER, LONG_AGO]
        ):
            written = {"status": status, "completed": completed, "completed_at": at}
            given = {name: value for name, value in written.items() if value is not left_out}
            task = row(db, "tasks", add_task(db, world.ann, **given))
            done = status == "completed" or completed is True or isinstance(at, datetime)
            assert task.completed is done, given
            if done:
                stated = at if isinstance(at, datetime) else now(db)
                assert (task.status, task.completed_at) == ("completed", stated), given
            else:
                assert (task.status, task.completed_at) == ("todo" if status is left_out else status, None), given


@pytest.mark.rule("AUR-05", "accepts")
@pytest.mark.parametrize("as_whom", ["user", "service"])
@pytest.mark.parametrize("before", ["todo", "review", "completed", None])
def test_what_changes_says_whether_a_task_is_done(db: Person, world: World, before: str | None, as_whom: str) -> None:
    was_done = before == "completed"
    stood = LONG_AGO if was_done else None
    statuses = ["todo", "in_progress", "review", "completed", "cancelled", None]
    with acting(db, world.ann, as_whom):
        for status, completed, at in product(statuses, [True, False, None], [None, LONG_AGO, LATER]):
            task = add_task(db, world.ann, status=before, completed_at=stood)
            change(db, "tasks", task, status=status, completed=completed, completed_at=at)
            after = row(db, "tasks", task)
            # A whole row is sent back: the first of these that differs is what the client means.
            if status != before:
                done = status == "completed"
            elif completed is not was_done:
                done = completed is True
            else:
                done = at is not None
            case = (before, status, completed, at)
            assert after.completed is done, case
            assert after.completed_at == ((at or now(db)) if done else None), case
            assert after.status == ("completed" if done else "todo" if status == "completed" else status), case


@pytest.mark.rule("AUR-05", "accepts")
def test_one_of_the_three_is_enough(db: Person, world: World) -> None:
    with db.as_user(world.ann.id):
        for finish, reopen in product(
            [{"status": "completed"}, {"completed": True}, {"completed_at": LATER}],
            [{"status": "todo"}, {"completed": False}, {"completed_at": None}, {"completed": None}],
        ):
            task = add_task(db, world.ann, status="review")
            change(db, "tasks", task, **finish)
            done = row(db, "tasks", task)
            assert (done.status, done.completed, done.completed_at is None) == ("completed", True, False)
            change(db, "tasks", task, **reopen)
            opened = row(db, "tasks", task)
            assert (opened.status, opened.completed, opened.completed_at) == ("todo", False, None)


@pytest.mark.rule("AUR-05", "accepts")
def test_other_changes_leave_completion_alone(db: Person, world: World) -> None:
    with db.as_user(world.ann.id):
        for columns in ({"status": "completed", "completed_at": LONG_AGO}, {"status": "cancelled"}, {"status": None}):
            task = add_task(db, world.ann, **columns)
            said = "SELECT status, completed, completed_at FROM tasks WHERE id = %s"
            before = db.row(said, [task])
            change(db, "tasks", task, name="Jump", archived=True)
            assert db.row(said, [task]) == before


@pytest.mark.rule("AUR-05", "accepts")
def test_the_column_on_the_board_is_the_clients_own(db: Person, world: World) -> None:
    with db.as_user(world.ann.id):
        task = add_task(db, world.ann, status="completed", kanban_column="in_progress")
        assert row(db, "tasks", task).kanban_column == "in_progress"
        change(db, "tasks", task, kanban_column="to_do")
        assert (row(db, "tasks", task).completed, row(db, "tasks", task).status) == (True, "completed")
        other = add_task(db, world.ann)
        change(db, "tasks", other, kanban_column="done")
        assert (row(db, "tasks", other).completed, row(db, "tasks", other).status) == (False, "todo")
        change(db, "tasks", other, completed=True)
        assert row(db, "tasks", other).kanban_column == "done"


@pytest.mark.rule("AUR-05", "refuses")
@pytest.mark.parametrize(
    "wrong",
    [
        "completed = TRUE",
        "status = 'completed'",
        "completed_at = now()",
        "completed = TRUE, completed_at = now()",
        "completed = TRUE, status = 'completed'",
        "status = 'completed', completed_at = now()",
        "completed = TRUE, completed_at = now(), status = NULL",
        "completed = NULL",
    ],
)
def test_the_three_cannot_contradict_each_other(db: Person, world: World, wrong: str) -> None:
    # Even where triggers are off.
    db.run("SET LOCAL session_replication_role = replica")
    with db.refused("tasks_completion_check", sqlstate="23514"):
        db.run(f"UPDATE tasks SET {wrong} WHERE id = %s", [world.ann.task])
    assert db.run("UPDATE tasks SET completed = TRUE, completed_at = now(), status = 'completed'") == 2


@pytest.mark.rule("AUR-05", "accepts")
def test_the_completion_of_a_project_is_what_the_client_says(db: Person, world: World) -> None:
    with db.as_user(world.ann.id):
        change(db, "projects", world.ann.project, completion_percentage=12.34)
        change(db, "tasks", world.ann.task, completed=True)
        project = row(db, "projects", world.ann.project)
        assert (float(project.completion_percentage), project.status) == (12.34, "not_started")
        change(db, "projects", world.ann.project, status="completed")
        assert float(row(db, "projects", world.ann.project).completion_percentage) == 12.34


@pytest.mark.rule("AUR-05", "refuses")
def test_a_project_is_completed_by_0_to_100_percent(db: Person, world: World) -> None:
    with db.as_user(world.ann.id):
        for wrong in (-0.01, 100.01, "NaN"):
            with db.refused("chk_completion_percentage", sqlstate="23514"):
                change(db, "projects", world.ann.project, completion_percentage=wrong)
            with db.refused("chk_completion_percentage"):
                add(db, world.ann, "projects", completion_percentage=wrong)


# Archiving


@pytest.mark.rule("AUR-06", "accepts")
@pytest.mark.parametrize("as_whom", ["user", "service"])
@pytest.mark.parametrize("table", TABLES)
def test_rows_are_archived_and_restored_by_either_column(db: Person, world: World, table: str, as_whom: str) -> None:
    with acting(db, world.ann, as_whom):
        id = add(db, world.ann, table)

        def state() -> tuple[bool, datetime | None]:
            found = row(db, table, id)
            return found.archived, found.archived_at

        assert state() == (False, None)
        steps: list[tuple[dict[str, Any], datetime | None]] = [
            ({"archived": True}, now(db)),
            ({"archived": False}, None),
            ({"archived_at": LATER}, LATER),
            ({"archived": True}, LATER),
            ({"archived_at": LONG_AGO}, LONG_AGO),
            ({"archived": True, "archived_at": LATER}, LATER),
            ({"archived_at": None}, None),
            ({"archived": True, "archived_at": LONG_AGO}, LONG_AGO),
            ({"archived": False, "archived_at": LATER}, None),
            ({"archived": True, "archived_at": None}, now(db)),
            ({"archived": None}, None),
        ]
        for written, at in steps:
            assert change(db, table, id, **written) == 1
            assert state() == (at is not None, at), written


@pytest.mark.rule("AUR-06", "accepts")
@pytest.mark.parametrize("table", TABLES)
def test_rows_that_come_archived_have_a_time(db: Person, world: World, table: str) -> None:
    with db.as_user(world.ann.id):
        for written, at in (
            ({"archived": True}, now(db)),
            ({"archived": True, "archived_at": LONG_AGO}, LONG_AGO),
            ({"archived": None}, None),
            ({"archived": False, "archived_at": LONG_AGO}, None),
        ):
            found = row(db, table, add(db, world.ann, table, **written))
            assert (found.archived, found.archived_at) == (at is not None, at), written


@pytest.mark.rule("AUR-06", "accepts")
@pytest.mark.parametrize("table", TABLES)
def test_other_changes_leave_the_time_of_archiving_alone(db: Person, world: World, table: str) -> None:
    with db.as_user(world.ann.id):
        id = add(db, world.ann, table, archived=True, archived_at=LONG_AGO)
        change(db, table, id, **{"title" if table == "journal_entries" else "name": "Other"})
        assert row(db, table, id).archived_at == LONG_AGO


@pytest.mark.rule("AUR-06", "accepts")
def test_what_is_below_is_archived_by_itself(db: Person, world: World) -> None:
    ann = world.ann
    with db.as_user(ann.id):
        change(db, "pillars", ann.pillar, archived=True)
        change(db, "projects", ann.project, archived=True)
        archived = [
            row(db, table, id).archived
            for table, id in zip(TABLES[:4], [ann.pillar, ann.area, ann.project, ann.task], strict=True)
        ]
        assert archived == [True, False, True, False]


@pytest.mark.rule("AUR-06", "refuses")
@pytest.mark.parametrize("wrong", ["archived = TRUE", "archived_at = now()", "archived = NULL"])
@pytest.mark.parametrize("table", TABLES)
def test_archived_and_its_time_cannot_contradict_each_other(db: Person, world: World, table: str, wrong: str) -> None:
    id = add(db, world.ann, table)
    db.run("SET LOCAL session_replication_role = replica")
    with db.refused(f"{table}_archived_at_check", sqlstate="23514"):
        db.run(f"UPDATE {table} SET {wrong} WHERE id = %s", [id])
    assert db.run(f"UPDATE {table} SET archived = TRUE, archived_at = now() WHERE id = %s", [id]) == 1


# Statuses, enumerated values and ranges


@pytest.mark.rule("AUR-25", "accepts")
@pytest.mark.parametrize("as_whom", ["user", "service"])
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Not Started", "not_started"),
        ("In Progress", "in_progress"),
        ("Completed", "completed"),
        ("On Hold", "on_hold"),
    ],
)
def test_old_statuses_of_projects_are_understood(db: Person, world: World, old: str, new: str, as_whom: str) -> None:
    with acting(db, world.ann, as_whom):
        project = add(db, world.ann, "projects", status=old)
        assert row(db, "projects", project).status == new
        change(db, "projects", world.ann.project, status="cancelled")
        change(db, "projects", world.ann.project, status=old)
        assert row(db, "projects", world.ann.project).status == new
        db.run(
            "INSERT INTO projects (id, user_id, area_id, name, status) VALUES (%s, %s, %s, 'Again', %s) "
            "ON CONFLICT (id) DO UPDATE SET name = excluded.name, status = excluded.status",
            [world.ann.project, world.ann.id, world.ann.area, old],
        )
        assert row(db, "projects", world.ann.project).status == new


@pytest.mark.rule("AUR-25", "accepts")
def test_an_old_status_that_says_the_same_is_no_change(db: Person, world: World) -> None:
    with db.as_user(world.ann.id):
        project = add(db, world.ann, "projects", status="in_progress", updated_at=LONG_AGO)
        change(db, "projects", project, status="In Progress")
        assert row(db, "projects", project).updated_at == LONG_AGO
    assert db.value("SELECT count(*) FROM audit_log WHERE entity_id = %s", [project]) == 1


@pytest.mark.rule("AUR-25", "refuses")
@pytest.mark.parametrize("status", ["not started", "NOT STARTED", "Cancelled", "Done", "In progress", ""])
def test_other_words_for_a_status_are_not_understood(db: Person, world: World, status: str) -> None:
    with db.as_user(world.ann.id):
        with db.refused("chk_project_status", sqlstate="23514"):
            add(db, world.ann, "projects", status=status)
        with db.refused("chk_project_status", sqlstate="23514"):
            change(db, "projects", world.ann.project, status=status)


@pytest.mark.rule("AUR-25", "refuses")
def test_old_statuses_are_of_projects_only(db: Person, world: World) -> None:
    with db.as_user(world.ann.id), db.refused("chk_task_status", sqlstate="23514"):
        add_task(db, world.ann, status="In Progress")


@pytest.mark.rule("AUR-02", "accepts")
@pytest.mark.parametrize(("table", "column"), RANGES)
def test_values_in_range_are_accepted(db: Person, world: World, table: str, column: str) -> None:
    _, accepted, _ = RANGES[table, column]
    with db.as_service():
        id = add(db, world.ann, table)
        for value in accepted:
            assert change(db, table, id, **{column: value}) == 1
            assert (getattr(row(db, table, id), column) is None) == (value is None)
            assert getattr(row(db, table, add(db, world.ann, table, **{column: value})), column) == getattr(
                row(db, table, id), column
            )


@pytest.mark.rule("AUR-02", "refuses")
@pytest.mark.parametrize("as_whom", ["user", "service"])
@pytest.mark.parametrize(("table", "column"), RANGES)
def test_values_out_of_range_are_refused(db: Person, world: World, table: str, column: str, as_whom: str) -> None:
    name, _, refused = RANGES[table, column]
    # What users send as an embedding is passed over.
    with acting(db, world.ann, "service" if column.endswith("_embedding") else as_whom):
        id = add(db, world.ann, table)
        for value in refused:
            with db.refused(name, sqlstate="23514"):
                change(db, table, id, **{column: value})
            with db.refused(name, sqlstate="23514"):
                add(db, world.ann, table, **{column: value})


@pytest.mark.rule("AUR-02", "refuses")
def test_a_task_ends_no_earlier_than_it_starts(db: Person, world: World) -> None:
    with db.as_user(world.ann.id):
        for start, end in ((LONG_AGO, LATER), (LATER, LATER), (LATER, None), (None, LONG_AGO)):
            assert change(db, "tasks", world.ann.task, actual_start_time=start, actual_end_time=end) == 1
        with db.refused("tasks_actual_time_check", sqlstate="23514"):
            change(db, "tasks", world.ann.task, actual_start_time=LATER, actual_end_time=LONG_AGO)


@pytest.mark.rule("AUR-02", "refuses")
@pytest.mark.parametrize(
    ("table", "column"),
    [
        *((table, "name") for table in TABLES[:4]),
        ("journal_entries", "title"),
        ("journal_entries", "content"),
    ],
)
def test_what_needs_a_text_has_one(db: Person, world: World, table: str, column: str) -> None:
    with db.as_user(world.ann.id):
        id = add(db, world.ann, table)
        with db.refused(sqlstate="23502") as caught:
            change(db, table, id, **{column: None})
        assert caught.value.diag.column_name == column
        with db.refused(sqlstate="23502") as caught:
            add(db, world.ann, table, **{column: None})
        assert caught.value.diag.column_name == column


@pytest.mark.rule("AUR-02", "accepts")
def test_new_rows_have_the_documents_defaults(db: Person, world: World) -> None:
    with db.as_user(world.ann.id):
        project = row(db, "projects", world.ann.project)
        assert (project.status, project.priority, project.importance) == ("not_started", "medium", 3)
        assert (project.hrm_coherence_score, project.hrm_health_score, project.actual_hours_spent) == (0.5, 0.5, 0)
        task = row(db, "tasks", world.ann.task)
        assert (task.status, task.priority, task.kanban_column) == ("todo", "medium", "to_do")
        assert (task.hrm_priority_score, task.hrm_alignment_score) == (0.5, 0.5)
        assert (task.focus_time_minutes, task.interruption_count, task.context_switches) == (0, 0, 0)
        entry = row(db, "journal_entries", write(db, world.ann))
        assert (entry.ai_insights_generated, entry.sentiment_score, entry.archived) == (False, None, False)
        assert {found.embedding_model for found in (project, task, entry)} == {"text-embedding-3-small"}


# Ids, owners and times


@pytest.mark.rule("AUR-20", "refuses")
@pytest.mark.parametrize("as_whom", ["user", "service", "owner"])
@pytest.mark.parametrize("table", TABLES)
def test_ids_and_owners_never_change(db: Person, world: World, table: str, as_whom: str) -> None:
    with acting(db, world.ann, as_whom):
        id = add(db, world.ann, table)
        for columns in ({"id": uuid4()}, {"user_id": world.bob.id}):
            with db.refused(f"{table}_immutable_check", sqlstate="23514"):
                change(db, table, id, **columns)
        assert change(db, table, id, id=id, user_id=world.ann.id) == 1


@pytest.mark.rule("AUR-20", "accepts")
@pytest.mark.parametrize("table", TABLES)
def test_rows_are_created_when_they_are_created(db: Person, world: World, table: str) -> None:
    with db.as_user(world.ann.id):
        mine = add(db, world.ann, table, created_at=LONG_AGO)
        assert row(db, table, mine).created_at == now(db)
    with db.as_service():
        imported = add(db, world.ann, table, created_at=LONG_AGO)
        assert row(db, table, imported).created_at == LONG_AGO
        change(db, table, imported, created_at=LATER)
        assert row(db, table, imported).created_at == LONG_AGO
    with db.as_user(world.ann.id):
        change(db, table, imported, created_at=None)
        assert row(db, table, imported).created_at == LONG_AGO


@pytest.mark.rule("AUR-02", "accepts")
@pytest.mark.parametrize(("table", "column"), [(table, column) for table in TABLES for column in CONTENT[table]])
def test_updated_at_tells_of_every_change(db: Person, world: World, table: str, column: str) -> None:
    with db.as_user(world.ann.id):
        id = add(db, world.ann, table, updated_at=LONG_AGO)
        before = row(db, table, id)
        change(db, table, id, **{column: CONTENT[table][column]})
        after = row(db, table, id)
        assert getattr(before, column) != getattr(after, column)
        assert after.updated_at == now(db)


@pytest.mark.rule("AUR-02", "accepts")
def test_updated_at_tells_of_a_change_of_place(db: Person, world: World) -> None:
    ann = world.ann
    with db.as_user(ann.id):
        area = add(db, ann, "areas")
        project = add(db, ann, "projects", updated_at=LONG_AGO)
        change(db, "projects", project, area_id=area)
        assert row(db, "projects", project).updated_at == now(db)
        for column, value in (
            ("project_id", project),
            ("parent_task_id", ann.task),
            ("dependency_task_ids", [ann.task]),
        ):
            task = add_task(db, ann, updated_at=LONG_AGO)
            change(db, "tasks", task, **{column: value})
            assert row(db, "tasks", task).updated_at == now(db)


@pytest.mark.rule("AUR-03", "accepts")
def test_what_moves_with_its_parent_has_not_changed(db: Person, world: World) -> None:
    ann = world.ann
    with db.as_user(ann.id):
        project = add(db, ann, "projects", updated_at=LONG_AGO)
        task = add_task(db, ann, project_id=project, updated_at=LONG_AGO)
        change(db, "areas", ann.area, pillar_id=None)
        change(db, "projects", project, area_id=add(db, ann, "areas"), updated_at=LONG_AGO)
        assert row(db, "tasks", task).area_id != ann.area
        assert (row(db, "tasks", task).updated_at, row(db, "projects", project).updated_at) == (LONG_AGO, now(db))


@pytest.mark.rule("AUR-14", "accepts")
@pytest.mark.parametrize(("table", "column"), [(table, column) for table in DERIVED for column in DERIVED[table]])
def test_updated_at_does_not_tell_of_embeddings(db: Person, world: World, table: str, column: str) -> None:
    with db.as_service():
        id = add(db, world.ann, table, updated_at=LONG_AGO)
        before = row(db, table, id)
        change(db, table, id, **{column: DERIVED[table][column]})
        after = row(db, table, id)
        assert getattr(before, column) != getattr(after, column)
        assert after.updated_at == LONG_AGO


@pytest.mark.rule("AUR-02", "accepts")
@pytest.mark.parametrize("table", TABLES)
def test_updated_at_is_the_databases(db: Person, world: World, table: str) -> None:
    with db.as_user(world.ann.id):
        id = add(db, world.ann, table, updated_at=LONG_AGO)
        # Nothing has changed.
        change(db, table, id, user_id=world.ann.id)
        assert row(db, table, id).updated_at == LONG_AGO
        change(db, table, id, updated_at=LATER)
        assert row(db, table, id).updated_at == now(db)
