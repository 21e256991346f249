"""The log: who changed what of pillars, areas, projects, tasks and journal entries, from where; kept for good."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.aurum.world import User, World, add_task, find_out, spend, write
from tests.people import Person, insert
from tests.vectors import vector

ENTITIES = {
    "pillars": "pillar",
    "areas": "area",
    "projects": "project",
    "tasks": "task",
    "journal_entries": "journal_entry",
}
STAMPS = {"updated_at", "embedding_model", "embedding_updated_at", "embedding_hash", "embedding_claimed_until"}
# What is never logged: embeddings, and what the database keeps by itself.
LEFT_OUT = {
    "pillars": {"updated_at"},
    "areas": {"updated_at"},
    "projects": {"pillar_id", "combined_embedding", *STAMPS},
    "tasks": {"area_id", "pillar_id", "description_embedding", "name_embedding", *STAMPS},
    "journal_entries": {"content_embedding", "title_embedding", *STAMPS},
}
# A change of each table, and what the log says of it before and after.
CHANGES: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "pillars": (
        "name = 'Wealth', icon = 'x', color = color",
        {"name": "New", "icon": None},
        {"name": "Wealth", "icon": "x"},
    ),
    "areas": (
        "importance = 5, description = NULL",
        {"importance": 3, "description": ""},
        {"importance": 5, "description": None},
    ),
    "projects": (
        "status = 'On Hold', completion_percentage = 12.5, hrm_suggested_adjustments = '{\"a\": [1]}'",
        {"status": "not_started", "completion_percentage": 0, "hrm_suggested_adjustments": None},
        {"status": "on_hold", "completion_percentage": 12.5, "hrm_suggested_adjustments": {"a": [1]}},
    ),
    "tasks": (
        "completed = TRUE, completed_at = '2026-01-05 09:00+00', priority = priority",
        {"completed": False, "completed_at": None, "status": "todo"},
        {"completed": True, "completed_at": "2026-01-05T09:00:00+00:00", "status": "completed"},
    ),
    "journal_entries": (
        "tags = '{a,b}', title = 'Yesterday'",
        {"tags": [], "title": "Today"},
        {"tags": ["a", "b"], "title": "Yesterday"},
    ),
}
LOG = "SELECT * FROM audit_log WHERE entity_id = %s AND action <> 'create'"


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


def whole(db: Person, table: str, id: UUID) -> dict[str, Any]:
    """A row as the log shows it."""
    values = db.value(f"SELECT to_jsonb(t) FROM {table} AS t WHERE id = %s", [id])
    return {name: value for name, value in values.items() if name not in LEFT_OUT[table]}


@pytest.fixture
def utc(db: Person) -> None:
    """Times are logged in the session's time zone."""
    db.run("SET LOCAL timezone = 'UTC'")


# What is logged


@pytest.mark.rule("AUR-19", "accepts")
@pytest.mark.parametrize("as_whom", ["user", "service"])
@pytest.mark.parametrize("table", ENTITIES)
def test_what_is_created_is_logged_whole(db: Person, world: World, table: str, as_whom: str) -> None:
    with {"user": db.as_user(world.ann.id), "service": db.as_service()}[as_whom]:
        id = add(db, world.ann, table)
        log = db.row("SELECT * FROM audit_log WHERE entity_id = %s", [id])
        assert (log.user_id, log.action, log.entity_type) == (world.ann.id, "create", ENTITIES[table])
        assert (log.old_values, log.new_values) == (None, whole(db, table, id))
        assert log.created_at == db.value("SELECT now()")
    assert {"id", "user_id", "created_at", "archived"} < log.new_values.keys()


@pytest.mark.rule("AUR-19", "accepts")
@pytest.mark.parametrize("as_whom", ["user", "service"])
@pytest.mark.parametrize("table", ENTITIES)
def test_of_a_change_the_changed_columns_are_logged(
    db: Person, world: World, utc: None, table: str, as_whom: str
) -> None:
    settings, old, new = CHANGES[table]
    with {"user": db.as_user(world.ann.id), "service": db.as_service()}[as_whom]:
        id = add(db, world.ann, table)
        db.run(f"UPDATE {table} SET {settings} WHERE id = %s", [id])
        log = db.row(LOG, [id])
    assert (log.user_id, log.action, log.entity_type) == (world.ann.id, "update", ENTITIES[table])
    assert (log.old_values, log.new_values) == (old, new)


@pytest.mark.rule("AUR-19", "accepts")
@pytest.mark.parametrize("table", ENTITIES)
def test_archiving_and_restoring_are_logged_as_such(db: Person, world: World, utc: None, table: str) -> None:
    at = "2026-01-05T09:00:00+00:00"
    with db.as_user(world.ann.id):
        for column, text in (("archived", "FALSE"), ("archived_at", "NULL")):
            id = add(db, world.ann, table)
            db.run(f"UPDATE {table} SET archived_at = %s WHERE id = %s", [at, id])
            log = db.row(LOG, [id])
            assert (log.action, log.entity_type) == ("archive", ENTITIES[table])
            assert log.old_values == {"archived": False, "archived_at": None}
            assert log.new_values == {"archived": True, "archived_at": at}
            db.run(f"UPDATE {table} SET {column} = {text} WHERE id = %s", [id])
            log = db.row(f"{LOG} AND action <> 'archive'", [id])
            assert (log.action, log.entity_type) == ("restore", ENTITIES[table])
            assert log.old_values == {"archived": True, "archived_at": at}
            assert log.new_values == {"archived": False, "archived_at": None}
        id = add(db, world.ann, table, archived=True)
        db.run(f"UPDATE {table} SET archived_at = %s WHERE id = %s", [at, id])
        assert db.row(LOG, [id]).action == "update"


@pytest.mark.rule("AUR-19", "accepts")
@pytest.mark.parametrize("as_whom", ["user", "service"])
@pytest.mark.parametrize("table", ENTITIES)
def test_what_is_deleted_is_logged_whole(db: Person, world: World, table: str, as_whom: str) -> None:
    with {"user": db.as_user(world.ann.id), "service": db.as_service()}[as_whom]:
        id = add(db, world.ann, table)
        row = whole(db, table, id)
        db.run(f"DELETE FROM {table} WHERE id = %s", [id])
        log = db.row(LOG, [id])
    assert (log.user_id, log.action, log.entity_type) == (world.ann.id, "delete", ENTITIES[table])
    assert (log.old_values, log.new_values) == (row, None)


@pytest.mark.rule("AUR-19", "accepts")
def test_what_goes_with_its_parent_is_logged_too(db: Person, world: World) -> None:
    ann = world.ann
    with db.as_user(ann.id):
        sub = add_task(db, ann, parent_task_id=ann.task)
        db.run("DELETE FROM areas")
        gone = {ann.area: "area", ann.project: "project", ann.task: "task", sub: "task"}
        logged = db.rows("SELECT entity_id, entity_type FROM audit_log WHERE action = 'delete'")
        assert len(logged) == 4
        assert dict(logged) == gone


@pytest.mark.rule("AUR-19", "accepts")
def test_an_area_that_loses_its_pillar_and_a_task_that_loses_its_dependency_are_logged(
    db: Person, world: World
) -> None:
    ann = world.ann
    with db.as_user(ann.id):
        other = add_task(db, ann, dependency_task_ids=[ann.task])
        db.run("DELETE FROM pillars")
        db.run("DELETE FROM tasks WHERE id = %s", [ann.task])
        changed = "SELECT entity_id, old_values, new_values FROM audit_log WHERE action = 'update'"
        assert sorted(db.rows(changed), key=lambda row: row.entity_id != ann.area) == [
            (ann.area, {"pillar_id": str(ann.pillar)}, {"pillar_id": None}),
            (other, {"dependency_task_ids": [str(ann.task)]}, {"dependency_task_ids": []}),
        ]


@pytest.mark.rule("AUR-19", "accepts")
def test_every_row_of_a_statement_is_logged(db: Person, world: World) -> None:
    with db.as_user(world.ann.id):
        tasks = {add_task(db, world.ann) for _ in range(5)} | {world.ann.task}
        db.run("UPDATE tasks SET name = 'Jump'")
        logged = db.rows("SELECT entity_id FROM audit_log WHERE action = 'update'")
    assert len(logged) == 6
    assert {row.entity_id for row in logged} == tasks


# What is not


@pytest.mark.rule("AUR-19", "refuses")
@pytest.mark.parametrize("table", ENTITIES)
def test_what_changes_nothing_is_not_logged(db: Person, world: World, table: str) -> None:
    with db.as_user(world.ann.id):
        id = add(db, world.ann, table, updated_at="2020-01-01Z")
        db.run(f"UPDATE {table} SET updated_at = now(), user_id = user_id WHERE id = %s", [id])
        assert db.rows(LOG, [id]) == []


@pytest.mark.rule("AUR-19", "refuses")
@pytest.mark.parametrize("table", ["projects", "tasks", "journal_entries"])
def test_embeddings_are_not_logged(db: Person, world: World, table: str) -> None:
    columns = [name for name in LEFT_OUT[table] if name.endswith("_embedding")]
    settings = ", ".join(f"{name} = %(vector)s" for name in columns)
    stamps = (
        "embedding_hash = 'x', embedding_updated_at = now(), embedding_claimed_until = now(), embedding_model = 'y'"
    )
    with db.as_service():
        id = add(db, world.ann, table, **dict.fromkeys(columns, vector(1)))
        values = {"vector": vector(0, 1), "id": id}
        db.run(f"UPDATE {table} SET {settings}, {stamps} WHERE id = %(id)s", values)
        assert db.rows(LOG, [id]) == []
        db.run(f"UPDATE {table} SET {settings}, archived = TRUE WHERE id = %(id)s", {**values, "vector": vector(1)})
        db.run(f"DELETE FROM {table} WHERE id = %s", [id])
        logged = db.rows("SELECT old_values, new_values FROM audit_log WHERE entity_id = %s", [id])
    assert len(logged) == 3
    for row in logged:
        assert not {*(row.old_values or {}), *(row.new_values or {})} & LEFT_OUT[table]


@pytest.mark.rule("AUR-19", "refuses")
def test_what_moves_with_its_parent_is_not_logged(db: Person, world: World) -> None:
    ann = world.ann
    with db.as_user(ann.id):
        pillar = add(db, ann, "pillars")
        area = add(db, ann, "areas", pillar_id=None)
        db.run("UPDATE areas SET pillar_id = %s WHERE id = %s", [pillar, ann.area])
        db.run("UPDATE projects SET area_id = %s", [area])
        moved = db.rows("SELECT entity_id, old_values, new_values FROM audit_log WHERE action = 'update'")
        assert sorted(moved, key=lambda row: row.entity_id != ann.area) == [
            (ann.area, {"pillar_id": str(ann.pillar)}, {"pillar_id": str(pillar)}),
            (ann.project, {"area_id": str(ann.area)}, {"area_id": str(area)}),
        ]
        assert db.value("SELECT area_id FROM tasks") == area


@pytest.mark.rule("AUR-19", "refuses")
def test_nothing_is_logged_for_an_account_that_goes(db: Person, world: World) -> None:
    ann = world.ann
    for table in ENTITIES:
        add(db, ann, table)
        add(db, ann, table, archived=True)
    add_task(db, ann, parent_task_id=ann.task, dependency_task_ids=[ann.task])
    find_out(db, ann, entity_type="task", entity_id=ann.task)
    spend(db, ann)
    before = db.value("SELECT count(*) FROM audit_log WHERE user_id = %s", [world.bob.id])
    assert db.run("DELETE FROM auth.users WHERE id = %s", [ann.id]) == 1
    for table in (*ENTITIES, "audit_log", "user_stats", "insights", "time_entries"):
        assert db.rows(f"SELECT id FROM {table} WHERE user_id = %s", [ann.id]) == []
    assert db.value("SELECT count(*) FROM audit_log") == before > 0


# From where


def come_from(db: Person, headers: Any) -> None:
    db.run("SELECT set_config('request.headers', %s, TRUE)", [headers])


def origin(db: Person, world: World) -> tuple[str | None, str | None]:
    """Change something, and return from where the log says that it was."""
    with db.as_user(world.ann.id):
        id = add(db, world.ann, "pillars")
        return tuple(db.row("SELECT host(ip_address), user_agent FROM audit_log WHERE entity_id = %s", [id]))


@pytest.mark.rule("AUR-19", "accepts")
@pytest.mark.parametrize(
    ("forwarded", "ip"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("203.0.113.7, 10.0.0.1,10.0.0.2", "203.0.113.7"),
        (" 2001:db8::1 ,10.0.0.1", "2001:db8::1"),
    ],
)
def test_address_and_program_are_those_of_the_request(db: Person, world: World, forwarded: str, ip: str) -> None:
    come_from(db, json.dumps({"x-forwarded-for": forwarded, "user-agent": "Aurum/1.0", "accept": "*/*"}))
    assert origin(db, world) == (ip, "Aurum/1.0")


@pytest.mark.rule("AUR-19", "accepts")
def test_without_a_request_there_is_no_address(db: Person, world: World) -> None:
    assert origin(db, world) == (None, None)


@pytest.mark.rule("AUR-19", "accepts")
@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ("", (None, None)),
        ("{", (None, None)),
        ("null", (None, None)),
        ("[1]", (None, None)),
        ('"x"', (None, None)),
        ("{}", (None, None)),
        ('{"user-agent": "\\u0000"}', (None, None)),
        ('{"x-forwarded-for": "unknown", "user-agent": "Aurum"}', (None, "Aurum")),
        ('{"x-forwarded-for": "203.0.113.7:1234", "user-agent": "Aurum"}', (None, "Aurum")),
        ('{"x-forwarded-for": "", "user-agent": null}', (None, None)),
        ('{"x-forwarded-for": ["203.0.113.7"]}', (None, None)),
        ('{"user-agent": "' + "a" * 5000 + '"}', (None, "a" * 1000)),
    ],
)
def test_headers_that_cannot_be_read_refuse_no_change(
    db: Person, world: World, headers: str, expected: tuple[str | None, str | None]
) -> None:
    come_from(db, headers)
    assert origin(db, world) == expected


# Kept for good


@pytest.mark.rule("AUR-19", "accepts")
def test_people_read_their_own_log_and_services_all(db: Person, world: World) -> None:
    for user in (world.ann, world.bob):
        with db.as_user(user.id):
            assert db.rows("SELECT DISTINCT user_id FROM audit_log") == [(user.id,)]
    with db.as_service():
        assert db.value("SELECT count(DISTINCT user_id) FROM audit_log") == 2


@pytest.mark.rule("AUR-19", "refuses")
@pytest.mark.parametrize("as_whom", ["user", "service"])
@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO audit_log (user_id, action, entity_type, entity_id) VALUES (%(user)s, 'create', 'task', %(id)s)",
        "UPDATE audit_log SET action = 'delete'",
        "DELETE FROM audit_log",
        "TRUNCATE audit_log",
    ],
)
def test_nobody_writes_the_log(db: Person, world: World, sql: str, as_whom: str) -> None:
    with {"user": db.as_user(world.ann.id), "service": db.as_service()}[as_whom], db.refused(sqlstate="42501"):
        db.run(sql, {"user": world.ann.id, "id": uuid4()})


@pytest.mark.rule("AUR-19", "refuses")
def test_visitors_do_not_read_the_log(db: Person, world: World) -> None:
    with db.as_anon(), db.refused(sqlstate="42501"):
        db.run("SELECT FROM audit_log")


@pytest.mark.rule("AUR-19", "refuses")
def test_there_are_five_actions(db: Person, world: World) -> None:
    sql = "INSERT INTO audit_log (user_id, action, entity_type, entity_id) VALUES (%s, %s, 'task', %s)"
    for action in ("create", "update", "delete", "archive", "restore"):
        assert db.run(sql, [world.ann.id, action, world.ann.task]) == 1
    with db.refused("audit_log_action_check", sqlstate="23514"):
        db.run(sql, [world.ann.id, "read", world.ann.task])
