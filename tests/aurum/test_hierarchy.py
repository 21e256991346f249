"""Pillars, areas, projects and tasks: where each is, also after a move, what goes with its parent, and no circles."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from tests.aurum.world import User, World, add_task, build_world
from tests.people import Person, blocked, insert, outcome

# For each table its owner's maker, the column that names the parent, and the level above.
PARENTS = {
    "areas": ("pillar_id", "pillar"),
    "projects": ("area_id", "area"),
    "tasks": ("project_id", "project"),
}
DEADLOCK = "40P01"


def add_pillar(db: Person, user: User, **columns: Any) -> UUID:
    return insert(db, "pillars", **{"user_id": user.id, "name": "Work", **columns})


def add_area(db: Person, user: User, **columns: Any) -> UUID:
    return insert(db, "areas", **{"user_id": user.id, "name": "Career", "pillar_id": user.pillar, **columns})


def add_project(db: Person, user: User, **columns: Any) -> UUID:
    return insert(db, "projects", **{"user_id": user.id, "name": "Course", "area_id": user.area, **columns})


def change(db: Person, table: str, which: UUID, **columns: Any) -> int:
    settings = ", ".join(f"{name} = %({name})s" for name in columns)
    return db.run(f"UPDATE {table} SET {settings} WHERE id = %(which)s", {**columns, "which": which})


def place(db: Person, task: UUID) -> tuple[UUID, UUID, UUID | None]:
    """Where a task says that it is: project, area and pillar."""
    return tuple(db.row("SELECT project_id, area_id, pillar_id FROM tasks WHERE id = %s", [task]))


def assert_everything_is_in_its_place(db: Person) -> None:
    """Compare what is denormalised with what the parents say."""
    assert db.rows(
        "SELECT p.id FROM projects AS p JOIN areas AS a ON a.id = p.area_id "
        "WHERE p.pillar_id IS DISTINCT FROM a.pillar_id"
    ) == []  # fmt: skip
    assert db.rows(
        "SELECT t.id FROM tasks AS t JOIN projects AS p ON p.id = t.project_id JOIN areas AS a ON a.id = p.area_id "
        "WHERE (t.area_id, t.pillar_id) IS DISTINCT FROM (a.id, a.pillar_id)"
    ) == []  # fmt: skip


# Being somewhere


@pytest.mark.rule("AUR-03", "accepts")
@pytest.mark.parametrize("as_whom", ["user", "service", "owner"])
def test_projects_and_tasks_know_where_they_are(db: Person, world: World, as_whom: str) -> None:
    ann = world.ann
    with {"user": db.as_user(ann.id), "service": db.as_service(), "owner": nullcontext()}[as_whom]:
        project = add_project(db, ann)
        task = add_task(db, ann, project_id=project)
        assert db.value("SELECT pillar_id FROM projects WHERE id = %s", [project]) == ann.pillar
        assert place(db, task) == (project, ann.area, ann.pillar)


@pytest.mark.rule("AUR-03", "accepts")
def test_what_is_below_an_area_without_a_pillar_has_none_either(db: Person, world: World) -> None:
    with db.as_user(world.ann.id):
        area = add_area(db, world.ann, pillar_id=None)
        project = add_project(db, world.ann, area_id=area)
        task = add_task(db, world.ann, project_id=project)
        assert db.value("SELECT pillar_id FROM projects WHERE id = %s", [project]) is None
        assert place(db, task) == (project, area, None)


@pytest.mark.rule("AUR-03", "refuses")
@pytest.mark.parametrize("as_whom", ["user", "service", "owner"])
def test_nobody_says_where_a_row_is_but_its_parent(db: Person, world: World, as_whom: str) -> None:
    ann = world.ann
    elsewhere = {"pillar_id": add_pillar(db, ann)}
    wrong = {**elsewhere, "area_id": add_area(db, ann, **elsewhere)}
    with {"user": db.as_user(ann.id), "service": db.as_service(), "owner": nullcontext()}[as_whom]:
        project = add_project(db, ann, **elsewhere)
        task = add_task(db, ann, project_id=project, **wrong)
        for columns in (elsewhere, {"pillar_id": None}):
            change(db, "projects", project, **columns)
            change(db, "tasks", task, **columns)
        for columns in (wrong, {"area_id": None}, {"area_id": uuid4(), "pillar_id": uuid4()}):
            change(db, "tasks", task, **columns)
        assert db.value("SELECT pillar_id FROM projects WHERE id = %s", [project]) == ann.pillar
        assert place(db, task) == (project, ann.area, ann.pillar)


# Moves


@pytest.mark.rule("AUR-03", "accepts")
def test_a_task_moves_to_another_project(db: Person, world: World) -> None:
    with db.as_user(world.ann.id):
        pillar = add_pillar(db, world.ann)
        area = add_area(db, world.ann, pillar_id=pillar)
        project = add_project(db, world.ann, area_id=area)
        change(db, "tasks", world.ann.task, project_id=project)
        assert place(db, world.ann.task) == (project, area, pillar)


@pytest.mark.rule("AUR-03", "accepts")
def test_tasks_move_with_their_project(db: Person, world: World) -> None:
    ann = world.ann
    with db.as_user(ann.id):
        pillar = add_pillar(db, ann)
        area = add_area(db, ann, pillar_id=pillar)
        other = add_task(db, ann, project_id=add_project(db, ann))
        before = place(db, other)
        change(db, "projects", ann.project, area_id=area)
        assert place(db, ann.task) == (ann.project, area, pillar)
        assert place(db, other) == before
        # To another area of the same pillar, and to one that has none.
        for here in ({"pillar_id": pillar}, {"pillar_id": None}):
            area = add_area(db, ann, **here)
            change(db, "projects", ann.project, area_id=area)
            assert place(db, ann.task) == (ann.project, area, here["pillar_id"])


@pytest.mark.rule("AUR-03", "accepts")
def test_projects_and_tasks_move_with_their_area(db: Person, world: World) -> None:
    ann = world.ann
    with db.as_user(ann.id):
        for pillar in (add_pillar(db, ann), None, ann.pillar):
            change(db, "areas", ann.area, pillar_id=pillar)
            assert db.value("SELECT pillar_id FROM projects WHERE id = %s", [ann.project]) == pillar
            assert place(db, ann.task) == (ann.project, ann.area, pillar)


@pytest.mark.rule("AUR-03", "accepts")
@pytest.mark.parametrize("as_whom", ["user", "service"])
def test_many_move_at_once(db: Person, world: World, as_whom: str) -> None:
    ann = world.ann
    pillars = [add_pillar(db, ann) for _ in range(3)]
    areas = [add_area(db, ann, pillar_id=pillars[number % 3]) for number in range(6)]
    projects = [add_project(db, ann, area_id=areas[number % 6]) for number in range(12)]
    for number in range(36):
        add_task(db, ann, project_id=projects[number % 12])
    # Each row goes somewhere else than its neighbour, some stay, and some lose their pillar.
    turn = "(SELECT array_agg(id ORDER BY id) FROM {} WHERE user_id = %(ann)s)"
    ids = {"ann": ann.id}
    with {"user": db.as_user(ann.id), "service": db.as_service()}[as_whom]:
        moved = db.run(
            f"UPDATE areas AS a SET pillar_id = NULLIF(({turn.format('pillars')})[1 + abs(hashtext(a.id::text)) %% 4], "
            "%(pillar)s) WHERE user_id = %(ann)s",
            {**ids, "pillar": ann.pillar},
        )
        assert moved == 7
        assert_everything_is_in_its_place(db)
        for table, column, above in (("projects", "area_id", "areas"), ("tasks", "project_id", "projects")):
            moved = db.run(
                f"UPDATE {table} AS r SET {column} = "
                f"({turn.format(above)})[1 + abs(hashtext(r.id::text)) %% (SELECT count(*)::int FROM {above} "
                "WHERE user_id = %(ann)s)] WHERE user_id = %(ann)s",
                ids,
            )
            assert moved > 12
            assert_everything_is_in_its_place(db)
    assert db.value("SELECT count(DISTINCT (project_id, area_id, pillar_id)) FROM tasks") > 6


@pytest.mark.rule("AUR-03", "accepts")
def test_parent_and_child_move_in_one_statement(db: Person, world: World) -> None:
    ann = world.ann
    with db.as_user(ann.id):
        pillar = add_pillar(db, ann)
        area = add_area(db, ann, pillar_id=None)
        db.run(
            "WITH moved AS (UPDATE areas SET pillar_id = %s WHERE id = %s) UPDATE projects SET area_id = %s "
            "WHERE id = %s",
            [pillar, area, area, ann.project],
        )
        assert place(db, ann.task) == (ann.project, area, pillar)
        assert db.value("SELECT pillar_id FROM projects WHERE id = %s", [ann.project]) == pillar


@pytest.mark.rule("AUR-03", "accepts")
def test_a_move_moves_only_what_is_below(db: Person, world: World) -> None:
    before = place(db, world.bob.task)
    with db.as_service():
        pillar = add_pillar(db, world.ann)
        db.run("UPDATE areas SET pillar_id = %s WHERE user_id = %s", [pillar, world.ann.id])
    assert place(db, world.bob.task) == before
    assert place(db, world.ann.task)[2] == pillar


# Deletions


@pytest.mark.rule("AUR-03", "accepts")
@pytest.mark.parametrize("as_whom", ["user", "service", "owner"])
def test_what_is_below_a_deleted_pillar_stays_without_one(db: Person, world: World, as_whom: str) -> None:
    ann = world.ann
    with {"user": db.as_user(ann.id), "service": db.as_service(), "owner": nullcontext()}[as_whom]:
        assert db.run("DELETE FROM pillars WHERE id = %s", [ann.pillar]) == 1
        assert db.value("SELECT pillar_id FROM areas WHERE id = %s", [ann.area]) is None
        assert db.value("SELECT pillar_id FROM projects WHERE id = %s", [ann.project]) is None
        assert place(db, ann.task) == (ann.project, ann.area, None)


@pytest.mark.rule("AUR-03", "accepts")
@pytest.mark.parametrize("as_whom", ["user", "service", "owner"])
def test_what_is_below_a_deleted_area_or_project_goes(db: Person, world: World, as_whom: str) -> None:
    ann = world.ann
    project = add_project(db, ann)
    task = add_task(db, ann, project_id=project)
    with {"user": db.as_user(ann.id), "service": db.as_service(), "owner": nullcontext()}[as_whom]:
        db.run("DELETE FROM projects WHERE id = %s", [project])
        assert db.rows("SELECT id FROM tasks WHERE id = %s", [task]) == []
        assert place(db, ann.task) == (ann.project, ann.area, ann.pillar)
        db.run("DELETE FROM areas WHERE id = %s", [ann.area])
        for table in ("projects", "tasks"):
            assert db.rows(f"SELECT id FROM {table} WHERE user_id = %s", [ann.id]) == []
    assert place(db, world.bob.task) == (world.bob.project, world.bob.area, world.bob.pillar)


@pytest.mark.rule("AUR-03", "accepts")
def test_a_pillar_and_its_areas_are_deleted_in_one_statement(db: Person, world: World) -> None:
    with db.as_user(world.ann.id):
        db.run("WITH gone AS (DELETE FROM pillars) DELETE FROM areas")
        assert db.rows("SELECT id FROM projects") == []
        assert db.rows("SELECT id FROM tasks") == []


@pytest.mark.rule("AUR-03", "accepts")
def test_several_pillars_are_deleted_at_once(db: Person, world: World) -> None:
    ann = world.ann
    task = add_task(db, ann, project_id=add_project(db, ann, area_id=add_area(db, ann, pillar_id=add_pillar(db, ann))))
    with db.as_user(ann.id):
        assert db.run("DELETE FROM pillars") == 2
        assert place(db, task)[2] is place(db, ann.task)[2] is None
        assert_everything_is_in_its_place(db)


@pytest.mark.rule("AUR-04", "accepts")
def test_sub_tasks_go_with_their_task(db: Person, world: World) -> None:
    with db.as_user(world.ann.id):
        child = add_task(db, world.ann, parent_task_id=world.ann.task)
        add_task(db, world.ann, parent_task_id=child)
        db.run("DELETE FROM tasks WHERE id = %s", [world.ann.task])
        assert db.rows("SELECT id FROM tasks") == []


# Whose parents


@pytest.mark.rule("AUR-04", "accepts")
def test_parents_of_the_same_user_are_accepted_from_a_service(db: Person, world: World) -> None:
    with db.as_service():
        area = add_area(db, world.bob)
        project = add_project(db, world.bob, area_id=area)
        task = add_task(db, world.bob, project_id=project, parent_task_id=world.bob.task)
    assert place(db, task) == (project, area, world.bob.pillar)


@pytest.mark.rule("AUR-04", "refuses")
@pytest.mark.parametrize("as_whom", ["user", "service", "owner"])
@pytest.mark.parametrize("table", PARENTS)
def test_a_parent_of_another_user_looks_like_a_missing_one(db: Person, world: World, table: str, as_whom: str) -> None:
    column, level = PARENTS[table]
    name = f"{table}_{column}_fkey"
    inserting = f"INSERT INTO {table} (user_id, name, {column}) VALUES (%(user)s, 'Mine', %(parent)s)"
    updating = f"UPDATE {table} SET {column} = %(parent)s WHERE user_id = %(user)s"
    with {"user": db.as_user(world.ann.id), "service": db.as_service(), "owner": nullcontext()}[as_whom]:
        for sql in (inserting, updating):
            values = {"user": world.ann.id, "parent": getattr(world.bob, level)}
            with db.refused(name, sqlstate="23503"):
                db.run(sql, values)
            missing = outcome(db, sql, {**values, "parent": uuid4()})
            assert outcome(db, sql, values) == missing
            assert outcome(db, sql, {**values, "parent": getattr(world.ann, level)}) == (1,)


@pytest.mark.rule("AUR-04", "refuses")
@pytest.mark.parametrize("as_whom", ["user", "service", "owner"])
@pytest.mark.parametrize("column", ["parent_task_id", "dependency_task_ids"])
def test_a_related_task_of_another_user_looks_like_a_missing_one(
    db: Person, world: World, column: str, as_whom: str
) -> None:
    many = column == "dependency_task_ids"
    inserting = (
        f"INSERT INTO tasks (user_id, project_id, name, {column}) VALUES (%(user)s, %(project)s, 'Mine', %(other)s)"
    )
    updating = f"UPDATE tasks SET {column} = %(other)s WHERE id = %(task)s"
    mine = add_task(db, world.ann)
    with {"user": db.as_user(world.ann.id), "service": db.as_service(), "owner": nullcontext()}[as_whom]:
        for sql in (inserting, updating):

            def naming(*others: UUID, sql: str = sql) -> tuple[str, dict[str, Any]]:
                return sql, {
                    "user": world.ann.id,
                    "project": world.ann.project,
                    "task": world.ann.task,
                    "other": list(others) if many else others[0],
                }

            with db.refused(f"tasks_{column}_fkey", sqlstate="23503"):
                db.run(*naming(world.bob.task))
            assert outcome(db, *naming(world.bob.task)) == outcome(db, *naming(uuid4()))
            assert outcome(db, *naming(mine)) == (1,)
            if many:
                assert outcome(db, *naming(mine, world.bob.task)) == outcome(db, *naming(mine, uuid4()))
                assert len(outcome(db, *naming(mine, uuid4()))) > 1


@pytest.mark.rule("AUR-04", "refuses")
@pytest.mark.parametrize("table", ["projects", "tasks"])
def test_projects_and_tasks_have_a_parent(db: Person, world: World, table: str) -> None:
    column, _ = PARENTS[table]
    with db.as_user(world.ann.id):
        for sql in (
            f"INSERT INTO {table} (user_id, name) VALUES (%(user)s, 'Adrift')",
            f"UPDATE {table} SET {column} = NULL WHERE user_id = %(user)s",
        ):
            with db.refused(sqlstate="23502") as caught:
                db.run(sql, {"user": world.ann.id})
            assert caught.value.diag.column_name == column


@pytest.mark.rule("AUR-04", "refuses")
@pytest.mark.parametrize("table", PARENTS)
def test_nobody_inserts_for_somebody_else(db: Person, world: World, table: str) -> None:
    column, level = PARENTS[table]
    with db.as_user(world.ann.id):
        # Whether the other's parent exists is not told either.
        sql = f"INSERT INTO {table} (user_id, name, {column}) VALUES (%(user)s, 'Yours', %(parent)s)"
        values = {"user": world.bob.id, "parent": getattr(world.bob, level)}
        with db.refused(f"{table}_{column}_fkey", sqlstate="23503"):
            db.run(sql, values)
        assert outcome(db, sql, values) == outcome(db, sql, {**values, "parent": uuid4()})


# Parent tasks and dependencies


@pytest.mark.rule("AUR-04", "accepts")
def test_tasks_have_sub_tasks_of_any_depth_and_change_parents(db: Person, world: World) -> None:
    ann = world.ann
    with db.as_user(ann.id):
        child = add_task(db, ann, parent_task_id=ann.task)
        grandchild = add_task(db, ann, parent_task_id=child, project_id=add_project(db, ann))
        assert change(db, "tasks", grandchild, parent_task_id=ann.task) == 1
        assert change(db, "tasks", child, parent_task_id=grandchild) == 1
        assert change(db, "tasks", child, parent_task_id=None) == 1
        assert change(db, "tasks", ann.task, parent_task_id=child) == 1


@pytest.mark.rule("AUR-04", "refuses")
def test_no_task_is_its_own_ancestor(db: Person, world: World) -> None:
    ann = world.ann
    with db.as_user(ann.id):
        line = [ann.task]
        for _ in range(3):
            line.append(add_task(db, ann, parent_task_id=line[-1]))
        for below in line:
            with db.refused("tasks_parent_task_cycle_check", sqlstate="23514"):
                change(db, "tasks", ann.task, parent_task_id=below)
        id = uuid4()
        with db.refused("tasks_parent_task_cycle_check", sqlstate="23514"):
            add_task(db, ann, id=id, parent_task_id=id)


@pytest.mark.rule("AUR-04", "refuses")
def test_one_statement_closes_no_circle(db: Person, world: World) -> None:
    ann = world.ann
    with db.as_user(ann.id):
        other = add_task(db, ann)
        with db.refused("tasks_parent_task_cycle_check"):
            db.run(
                "UPDATE tasks SET parent_task_id = CASE id WHEN %(a)s THEN %(b)s ELSE %(a)s END::uuid "
                "WHERE id IN (%(a)s, %(b)s)",
                {"a": ann.task, "b": other},
            )


@pytest.mark.rule("AUR-04", "refuses")
def test_a_circle_of_old_is_climbed_once(db: Person, world: World) -> None:
    other = add_task(db, world.ann, parent_task_id=world.ann.task)
    db.run("SET LOCAL session_replication_role = replica")
    change(db, "tasks", world.ann.task, parent_task_id=other)
    db.run("SET LOCAL session_replication_role = origin")
    with db.as_user(world.ann.id):
        with db.refused("tasks_parent_task_cycle_check"):
            add_task(db, world.ann, parent_task_id=other)
        assert change(db, "tasks", other, parent_task_id=None) == 1
        add_task(db, world.ann, parent_task_id=other)


@pytest.mark.rule("AUR-04", "accepts")
def test_a_task_depends_on_others_in_any_project(db: Person, world: World) -> None:
    ann = world.ann
    with db.as_user(ann.id):
        first, second = add_task(db, ann), add_task(db, ann, project_id=add_project(db, ann))
        task = add_task(db, ann, dependency_task_ids=[first, second, first])
        for value in ([second], [], None):
            assert change(db, "tasks", task, dependency_task_ids=value) == 1


@pytest.mark.rule("AUR-04", "refuses")
def test_a_task_depends_neither_on_itself_nor_on_nothing(db: Person, world: World) -> None:
    ann, id = world.ann, uuid4()
    with db.as_user(ann.id):
        other = add_task(db, ann)
        with db.refused("tasks_dependency_task_ids_check", sqlstate="23514"):
            add_task(db, ann, id=id, dependency_task_ids=[id])
        for value in ([ann.task], [other, ann.task], [None], [other, None]):
            with db.refused("tasks_dependency_task_ids_check", sqlstate="23514"):
                change(db, "tasks", ann.task, dependency_task_ids=value)


@pytest.mark.rule("AUR-04", "accepts")
def test_nobody_waits_for_a_deleted_task(db: Person, world: World) -> None:
    ann = world.ann
    with db.as_user(ann.id):
        project = add_project(db, ann)
        gone = [add_task(db, ann, project_id=project) for _ in range(2)]
        kept = add_task(db, ann)
        tasks = [
            add_task(db, ann, dependency_task_ids=[gone[0], kept, gone[1]]),
            add_task(db, ann, dependency_task_ids=gone[:1]),
        ]
        db.run("DELETE FROM projects WHERE id = %s", [project])
        left = [db.value("SELECT dependency_task_ids FROM tasks WHERE id = %s", [task]) for task in tasks]
        assert left == [[kept], []]


# Races


@pytest.fixture
def pair(connect: Callable[[], Person]) -> tuple[Person, Person]:
    return connect(), connect()


@pytest.mark.rule("AUR-03", "accepts")
@pytest.mark.parametrize("first", ["task", "move"])
def test_a_task_comes_while_its_project_moves(pair: tuple[Person, Person], first: str) -> None:
    one, other = pair
    ann = build_world(one).ann
    area = add_area(one, ann, pillar_id=None)
    task = ("INSERT INTO tasks (user_id, project_id, name) VALUES (%s, %s, 'New')", [ann.id, ann.project])
    move = ("UPDATE projects SET area_id = %s WHERE id = %s", [area, ann.project])
    assert_they_wait(one, other, ann, (task, move) if first == "task" else (move, task))
    assert one.rows("SELECT DISTINCT area_id, pillar_id FROM tasks WHERE user_id = %s", [ann.id]) == [(area, None)]


@pytest.mark.rule("AUR-03", "accepts")
@pytest.mark.parametrize("first", ["project", "move"])
def test_a_project_comes_while_its_area_moves(pair: tuple[Person, Person], first: str) -> None:
    one, other = pair
    ann = build_world(one).ann
    pillar = add_pillar(one, ann)
    project = ("INSERT INTO projects (user_id, area_id, name) VALUES (%s, %s, 'New')", [ann.id, ann.area])
    move = ("UPDATE areas SET pillar_id = %s WHERE id = %s", [pillar, ann.area])
    assert_they_wait(one, other, ann, (project, move) if first == "project" else (move, project))
    assert one.rows("SELECT DISTINCT pillar_id FROM projects WHERE user_id = %s", [ann.id]) == [(pillar,)]


@pytest.mark.rule("AUR-03", "accepts")
@pytest.mark.parametrize("first", ["task", "move"])
def test_a_task_comes_while_the_area_of_its_project_moves(pair: tuple[Person, Person], first: str) -> None:
    one, other = pair
    ann = build_world(one).ann
    pillar = add_pillar(one, ann)
    task = ("INSERT INTO tasks (user_id, project_id, name) VALUES (%s, %s, 'New')", [ann.id, ann.project])
    move = ("UPDATE areas SET pillar_id = %s WHERE id = %s", [pillar, ann.area])
    assert_they_wait(one, other, ann, (task, move) if first == "task" else (move, task))
    assert one.rows("SELECT DISTINCT pillar_id FROM tasks WHERE user_id = %s", [ann.id]) == [(pillar,)]


@pytest.mark.rule("AUR-03", "accepts")
@pytest.mark.parametrize("first", ["project", "move"])
def test_a_project_moves_into_an_area_that_moves(pair: tuple[Person, Person], first: str) -> None:
    one, other = pair
    ann = build_world(one).ann
    pillar, area = add_pillar(one, ann), add_area(one, ann, pillar_id=None)
    project = ("UPDATE projects SET area_id = %s WHERE id = %s", [area, ann.project])
    move = ("UPDATE areas SET pillar_id = %s WHERE id = %s", [pillar, area])
    assert_they_wait(one, other, ann, (project, move) if first == "project" else (move, project))
    assert place(one, ann.task) == (ann.project, area, pillar)


def assert_they_wait(one: Person, other: Person, user: User, statements: Any) -> None:
    """Run the first statement, and the second one while the first is not committed."""
    first, second = statements
    with one.as_user(user.id), other.as_user(user.id):
        one.run("BEGIN")
        one.run(*first)
        with blocked(other, one, *second) as waiting:
            one.run("COMMIT")
        assert waiting.result() == 1
    assert_everything_is_in_its_place(one)


@pytest.mark.rule("AUR-03", "accepts")
def test_who_only_renames_an_area_holds_up_nobody(pair: tuple[Person, Person]) -> None:
    one, other = pair
    ann = build_world(one).ann
    with one.as_user(ann.id), other.as_user(ann.id):
        one.run("BEGIN")
        change(one, "areas", ann.area, name="Games")
        change(one, "projects", ann.project, name="Chess")
        other.run("SET lock_timeout = '5s'")
        # Not a statement that counts: both would write the user's figures.
        project = add_project(other, ann, archived=True)
        task = add_task(other, ann, project_id=ann.project, archived=True)
        one.run("COMMIT")
    assert place(one, task) == (ann.project, ann.area, ann.pillar)
    assert one.value("SELECT pillar_id FROM projects WHERE id = %s", [project]) == ann.pillar


@pytest.mark.rule("AUR-04", "refuses")
def test_two_sessions_make_no_circle(pair: tuple[Person, Person]) -> None:
    one, other = pair
    ann = build_world(one).ann
    top, below = add_task(one, ann), add_task(one, ann, parent_task_id=ann.task)
    with one.as_user(ann.id), other.as_user(ann.id):
        one.run("BEGIN")
        change(one, "tasks", ann.task, parent_task_id=top)
        sql = "UPDATE tasks SET parent_task_id = %s WHERE id = %s"
        with blocked(other, one, sql, [below, top]) as waiting:
            one.run("COMMIT")
        with pytest.raises(psycopg.Error) as refused:
            waiting.result()
    assert refused.value.diag.constraint_name == "tasks_parent_task_cycle_check"


@pytest.mark.rule("AUR-04", "refuses")
def test_of_two_that_would_be_each_others_parent_one_gives_way(pair: tuple[Person, Person]) -> None:
    one, other = pair
    ann = build_world(one).ann
    second = add_task(one, ann)
    sql = "UPDATE tasks SET parent_task_id = %s WHERE id = %s"
    with one.as_user(ann.id), other.as_user(ann.id):
        one.run("BEGIN")
        other.run("BEGIN")
        # Each has its own task locked before it looks up the parent.
        one.run("SELECT FROM tasks WHERE id = %s FOR UPDATE", [ann.task])
        other.run("SELECT FROM tasks WHERE id = %s FOR UPDATE", [second])
        failed = []
        with blocked(other, one, sql, [ann.task, second]) as waiting:
            try:
                one.run(sql, [second, ann.task])
                one.run("COMMIT")
            except psycopg.Error as error:
                failed.append(error)
                one.run("ROLLBACK")
            if waiting.exception(timeout=30):
                failed.append(waiting.exception())
        other.run("ROLLBACK" if waiting.exception() else "COMMIT")
    assert [error.diag.sqlstate for error in failed] in ([DEADLOCK], ["23514"])
    assert one.value("SELECT count(*) FROM tasks WHERE parent_task_id IS NOT NULL") == 1


@pytest.mark.rule("AUR-04", "refuses")
def test_a_task_that_is_being_deleted_is_nobodys_parent(pair: tuple[Person, Person]) -> None:
    one, other = pair
    ann = build_world(one).ann
    with one.as_user(ann.id), other.as_user(ann.id):
        for column in ("parent_task_id", "dependency_task_ids"):
            second = add_task(one, ann)
            value = second if column == "parent_task_id" else [second]
            one.run("BEGIN")
            one.run("DELETE FROM tasks WHERE id = %s", [second])
            sql = f"UPDATE tasks SET {column} = %s WHERE id = %s"
            with blocked(other, one, sql, [value, ann.task]) as waiting:
                one.run("COMMIT")
            with pytest.raises(psycopg.Error) as refused:
                waiting.result()
            assert refused.value.diag.constraint_name == f"tasks_{column}_fkey"


@pytest.mark.rule("AUR-04", "accepts")
def test_who_comes_to_depend_on_a_task_before_it_is_deleted_forgets_it(pair: tuple[Person, Person]) -> None:
    one, other = pair
    ann = build_world(one).ann
    second = add_task(one, ann)
    with one.as_user(ann.id), other.as_user(ann.id):
        one.run("BEGIN")
        change(one, "tasks", ann.task, dependency_task_ids=[second])
        with blocked(other, one, "DELETE FROM tasks WHERE id = %s", [second]) as waiting:
            one.run("COMMIT")
        assert waiting.result() == 1
    assert one.value("SELECT dependency_task_ids FROM tasks WHERE id = %s", [ann.task]) == []
