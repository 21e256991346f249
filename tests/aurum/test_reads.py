"""What the document wants to be fast reads one user's rows, however many others there are: bench/ has the times."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.aurum.world import World
from tests.people import Person

OTHERS = 100
TASKS = 100

FILL = """
SET LOCAL session_replication_role = replica;
INSERT INTO auth.users (id) SELECT md5('user' || n)::uuid FROM generate_series(1, {others}) AS n;
INSERT INTO areas (id, user_id, name) SELECT md5('user' || n)::uuid, md5('user' || n)::uuid, 'All'
FROM generate_series(1, {others}) AS n;
INSERT INTO projects (id, user_id, area_id, name) SELECT id, user_id, id, 'All' FROM areas WHERE name = 'All';
INSERT INTO tasks (user_id, project_id, area_id, name) SELECT p.user_id, p.id, p.id, 'One of many'
FROM projects AS p, generate_series(1, {tasks}) WHERE p.name = 'All';
SET LOCAL session_replication_role = origin;
ANALYZE tasks, projects, areas
"""


@pytest.fixture
def crowd(db: Person, world: World) -> World:
    """Ann and Bob among a hundred others with a hundred tasks each."""
    db.run(FILL.format(others=OTHERS, tasks=TASKS))
    with db.as_service():
        db.run("SELECT refresh_hierarchy_view()")
    db.run("ANALYZE hierarchy_view")
    return world


def rows_read(db: Person, relation: str, run: Callable[[], object]) -> int:
    """Return how many rows of a relation this transaction read by going through all of it while `run` did its work."""
    count = "SELECT pg_stat_get_xact_tuples_returned(%s::regclass)"
    before = db.value(count, [relation])
    run()
    return db.value(count, [relation]) - before


def hierarchy(db: Person, world: World) -> int:
    with db.as_user(world.ann.id):
        return len(db.rows("SELECT * FROM my_hierarchy"))


def statistics(db: Person, world: World) -> int:
    with db.as_user(world.ann.id):
        return db.row("SELECT * FROM refresh_user_statistics()").task_stats["total"]


@pytest.mark.rule("AUR-23", "accepts")
def test_the_hierarchy_of_one_user_is_found_by_an_index(db: Person, crowd: World) -> None:
    assert hierarchy(db, crowd) == 1
    assert rows_read(db, "hierarchy_view", lambda: hierarchy(db, crowd)) == 0


@pytest.mark.rule("AUR-23", "refuses")
def test_without_the_index_it_reads_what_everybody_has(db: Person, crowd: World) -> None:
    db.run("DROP INDEX idx_hierarchy_view_user; DROP INDEX idx_hierarchy_view_pillar")
    assert rows_read(db, "hierarchy_view", lambda: hierarchy(db, crowd)) >= OTHERS * TASKS


@pytest.mark.rule("AUR-23", "accepts")
def test_the_statistics_of_one_user_read_nobody_elses_tasks(db: Person, crowd: World) -> None:
    assert statistics(db, crowd) == 1
    assert rows_read(db, "tasks", lambda: statistics(db, crowd)) == 0
