"""Memories: what they hold, whose project they are scoped to, and how they are forgotten."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from psycopg.types.json import Jsonb

from tests.people import Person, insert
from tests.thinking_partner.world import World, remember, upload
from tests.vectors import vector


def exists(db: Person, memory: UUID) -> bool:
    return db.value("SELECT EXISTS (SELECT FROM memories WHERE id = %s)", [memory])


# What a memory holds


@pytest.mark.rule("TP-01", "accepts")
@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("content", "."),
        ("content", " \u00a0né\n"),
        *(("source_type", kind) for kind in ("chat", "document", "manual", "import")),
        *(("importance", value) for value in (0.0, 1e-9, 0.5, 1.0)),
        *(("tags", tags) for tags in ([], ["tea"], ["tea", "Tea", "tea ", ""])),
        *(
            ("entities", entities)
            for entities in (
                {},
                {"people": [], "companies": [], "concepts": []},
                {"people": ["Robin"], "places": "anything"},
                {"companies": [{"name": "Northwind"}]},
            )
        ),
        ("source_ref", {"document_id": "x"}),
        ("source_ref", None),
        ("embedding", None),
        ("is_active", False),
    ],
)
def test_a_proper_memory_is_kept(db: Person, world: World, column: str, value: Any) -> None:
    sent = Jsonb(value) if isinstance(value, dict) else value
    with db.as_user(world.ann.id):
        memory = remember(db, world.ann, **{column: sent})
        assert db.value(f"SELECT {column} FROM memories WHERE id = %s", [memory]) == value
        changed = remember(db, world.ann)
        assert db.run(f"UPDATE memories SET {column} = %s WHERE id = %s", [sent, changed]) == 1
        assert db.value(f"SELECT {column} FROM memories WHERE id = %s", [changed]) == value


@pytest.mark.rule("TP-01", "accepts")
def test_a_memory_needs_no_more_than_a_user_and_content(db: Person, world: World) -> None:
    with db.as_user(world.ann.id):
        memory = remember(db, world.ann)
        row = db.row(
            "SELECT project_id, embedding, tags, entities, importance, source_type, source_ref, is_active,"
            " created_at = now() AS created, updated_at = now() AS updated FROM memories WHERE id = %s",
            [memory],
        )
    assert row == (None, None, [], {}, 0.5, "chat", None, True, True, True)


@pytest.mark.rule("TP-01", "refuses")
@pytest.mark.parametrize(
    ("column", "value", "rule"),
    [
        *(("content", text, "content") for text in ("", " ", "\t\r\n", "\u00a0\u2003", "\u200b\ufeff")),
        *(("importance", value, "importance") for value in (-1e-9, 1.000001, 2, float("nan"), float("inf"))),
        *(("tags", tags, "tags") for tags in (["a", "a"], [None], ["a", None], ["a", "b", "a"])),
        *(("source_type", kind, "source_type") for kind in ("", "Chat", "chat ", "web")),
        *(("entities", Jsonb(value), "entities") for value in ([], "x", 1, None)),
        *(
            ("entities", Jsonb({key: value}), "entities")
            for key in ("people", "companies", "concepts")
            for value in ({}, "Robin", None, 1)
        ),
        ("embedding", vector(0), "embedding"),
    ],
)
def test_an_improper_memory_is_refused(db: Person, world: World, column: str, value: Any, rule: str) -> None:
    with db.as_user(world.ann.id):
        with db.refused(f"memories_{rule}_check", "23514"):
            remember(db, world.ann, **{column: value})
        remember(db, world.ann)
        with db.refused(f"memories_{rule}_check", "23514"):
            db.run(f"UPDATE memories SET {column} = %s", [value])


@pytest.mark.rule("TP-01", "refuses")
@pytest.mark.parametrize(
    "column",
    [
        "user_id",
        "content",
        "tags",
        "entities",
        "importance",
        "source_type",
        "is_active",
        "created_at",
        "updated_at",
    ],
)
def test_nothing_needed_is_null(db: Person, world: World, column: str) -> None:
    with db.as_service(), db.refused(sqlstate="23502") as caught:
        insert(db, "memories", **{"user_id": world.ann.id, "content": "Likes tea", column: None})
    assert caught.value.diag.column_name == column


@pytest.mark.rule("TP-01", "refuses")
@pytest.mark.parametrize("size", [0, 1e-30, 1e30])
def test_an_embedding_that_has_no_direction_in_single_precision_is_refused(
    db: Person, world: World, size: float
) -> None:
    with db.as_user(world.ann.id), db.refused("memories_embedding_check", "23514"):
        remember(db, world.ann, embedding=vector(size, size))


@pytest.mark.rule("TP-01", "accepts")
@pytest.mark.parametrize("size", [1e-9, 1, 1e9])
def test_the_length_of_an_embedding_does_not_matter(db: Person, world: World, size: float) -> None:
    with db.as_user(world.ann.id):
        remember(db, world.ann, embedding=vector(size, size))
        found = db.rows(
            "SELECT similarity FROM search_memories(%s::extensions.vector, %s)", [vector(1, 1), world.ann.id]
        )
    assert [row.similarity for row in found] == [pytest.approx(1)]


@pytest.mark.rule("TP-01", "refuses")
def test_an_embedding_of_another_length_is_refused(db: Person, world: World) -> None:
    with db.as_user(world.ann.id), db.refused(sqlstate="22000"):
        remember(db, world.ann, embedding="[1,2,3]")


# What never changes, and what the database keeps


@pytest.mark.rule("TP-01", "refuses")
def test_a_memory_cannot_be_given_away(db: Person, world: World) -> None:
    memory = remember(db, world.ann)
    for acting in (db.as_user(world.ann.id), db.as_service()):
        with acting:
            for column, value in (("user_id", world.bob.id), ("id", uuid4())):
                with db.refused("memories_immutable_check", "23514"):
                    db.run(f"UPDATE memories SET {column} = %s WHERE id = %s", [value, memory])
            assert db.run("UPDATE memories SET id = id, user_id = user_id WHERE id = %s", [memory]) == 1


@pytest.mark.rule("TP-27", "accepts")
@pytest.mark.parametrize("change", ["content = 'Likes coffee'", "is_active = FALSE", "content = content"])
def test_updated_at_moves_with_a_change(db: Person, world: World, change: str) -> None:
    with db.as_service():
        memory = remember(db, world.ann, updated_at="2024-01-01", created_at="2024-01-01")
    with db.as_user(world.ann.id):
        assert db.value("SELECT updated_at < now() FROM memories WHERE id = %s", [memory])
        db.run(f"UPDATE memories SET {change} WHERE id = %s", [memory])
        assert db.row("SELECT updated_at = now() AS moved, created_at < now() AS kept FROM memories") == (True, True)


@pytest.mark.rule("TP-27", "refuses")
def test_users_do_not_date_memories(db: Person, world: World) -> None:
    dates = "SELECT created_at = now() AS created, updated_at = now() AS updated FROM memories WHERE id = %s"
    with db.as_user(world.ann.id):
        memory = remember(db, world.ann, created_at="2020-01-01", updated_at="2040-01-01")
        assert db.row(dates, [memory]) == (True, True)
        db.run("UPDATE memories SET created_at = '2020-01-01', updated_at = '2040-01-01' WHERE id = %s", [memory])
        assert db.row(dates, [memory]) == (True, True)


@pytest.mark.rule("TP-27", "refuses")
def test_services_import_dates_but_do_not_change_them(db: Person, world: World) -> None:
    with db.as_service():
        memory = remember(db, world.ann, created_at="2020-01-01Z", updated_at="2021-01-01Z")
        difference = "SELECT updated_at - created_at FROM memories WHERE id = %s"
        assert db.value(difference, [memory]) == timedelta(days=366)
        db.run("UPDATE memories SET created_at = '2019-01-01', updated_at = '2019-01-01' WHERE id = %s", [memory])
        assert db.value(
            "SELECT created_at = '2020-01-01Z' AND updated_at = now() FROM memories WHERE id = %s", [memory]
        )


# Scope


@pytest.mark.rule("TP-02", "accepts")
def test_a_memory_is_the_users_or_in_a_project_of_theirs(db: Person, world: World) -> None:
    with db.as_user(world.ann.id):
        everywhere = remember(db, world.ann)
        scoped = remember(db, world.ann, project_id=world.ann.project)
        assert db.run("UPDATE memories SET project_id = %s WHERE id = %s", [world.ann.project, everywhere]) == 1
        assert db.run("UPDATE memories SET project_id = NULL WHERE id = %s", [scoped]) == 1
        rows = dict(db.rows("SELECT id, project_id FROM memories"))
    assert rows == {everywhere: world.ann.project, scoped: None}


@pytest.mark.rule("TP-02", "refuses")
def test_anothers_project_looks_like_none_at_all(db: Person, world: World) -> None:
    for acting in (db.as_user(world.ann.id), db.as_service()):
        messages = []
        with acting:
            memory = remember(db, world.ann)
            for project in (world.bob.project, uuid4()):
                with db.refused("memories_project_id_fkey", "23503") as caught:
                    remember(db, world.ann, project_id=project)
                messages.append(str(caught.value).replace(str(project), "…"))
                with db.refused("memories_project_id_fkey", "23503"):
                    db.run("UPDATE memories SET project_id = %s WHERE id = %s", [project, memory])
        assert messages[0] == messages[1]


@pytest.mark.rule("TP-02", "accepts")
def test_with_a_project_goes_what_is_scoped_to_it(db: Person, world: World) -> None:
    other = insert(db, "projects", name="Book", workspace_id=world.ann.workspace)
    gone, kept, everywhere = (
        remember(db, world.ann, project_id=project) for project in (world.ann.project, other, None)
    )
    with db.as_user(world.ann.id):
        assert db.run("DELETE FROM projects WHERE id = %s", [world.ann.project]) == 1
    assert [exists(db, memory) for memory in (gone, kept, everywhere)] == [False, True, True]


@pytest.mark.rule("TP-02", "accepts")
def test_with_a_workspace_goes_what_is_scoped_to_its_projects(db: Person, world: World) -> None:
    scoped, everywhere = (remember(db, world.ann, project_id=project) for project in (world.ann.project, None))
    with db.as_user(world.ann.id):
        assert db.run("DELETE FROM workspaces WHERE id = %s", [world.ann.workspace]) == 1
    assert [exists(db, memory) for memory in (scoped, everywhere)] == [False, True]


@pytest.mark.rule("TP-02", "accepts")
def test_with_a_user_go_their_memories(db: Person, world: World) -> None:
    anns, bobs = remember(db, world.ann), remember(db, world.bob)
    db.run("DELETE FROM auth.users WHERE id = %s", [world.ann.id])
    assert [exists(db, memory) for memory in (anns, bobs)] == [False, True]


# Forgetting


@pytest.mark.rule("TP-06", "accepts")
@pytest.mark.parametrize("service", [False, True])
def test_a_forgotten_memory_stays_but_is_not_active(db: Person, world: World, service: bool) -> None:
    memory, other = remember(db, world.ann, "Likes tea"), remember(db, world.ann)
    with db.as_service() if service else db.as_user(world.ann.id):
        forgotten = db.row("SELECT id, content, is_active FROM forget_memory(%s)", [memory])
        assert forgotten == (memory, "Likes tea", False)
        # Twice is as good as once.
        assert db.value("SELECT is_active FROM forget_memory(%s)", [memory]) is False
    assert dict(db.rows("SELECT id, is_active FROM memories")) == {memory: False, other: True}


@pytest.mark.rule("TP-06", "accepts")
def test_what_is_remembered_again_is_found_again(db: Person, world: World) -> None:
    search = "SELECT id FROM search_memories(%s::extensions.vector, %s)"
    with db.as_user(world.ann.id):
        memory = remember(db, world.ann, embedding=vector(1))
        db.run("SELECT forget_memory(%s)", [memory])
        assert db.rows(search, [vector(1), world.ann.id]) == []
        db.run("UPDATE memories SET is_active = TRUE")
        assert db.rows(search, [vector(1), world.ann.id]) == [(memory,)]


@pytest.mark.rule("TP-06", "accepts")
def test_a_forgotten_memory_no_longer_counts_for_its_document(db: Person, world: World) -> None:
    document = upload(db, world.ann)
    kept, memory = (
        remember(db, world.ann, source_type="document", source_ref=Jsonb({"document_id": str(document)}))
        for _ in range(2)
    )
    count = "SELECT memory_count FROM get_document_with_stats(%s)"
    with db.as_user(world.ann.id):
        assert db.value(count, [document]) == 2
        db.run("SELECT forget_memory(%s)", [memory])
        assert db.value(count, [document]) == 1
    assert exists(db, kept)


@pytest.mark.rule("TP-06", "refuses")
def test_anothers_memory_cannot_be_forgotten_and_looks_like_none(db: Person, world: World) -> None:
    bobs = remember(db, world.bob)
    messages = []
    with db.as_user(world.ann.id):
        for memory in (bobs, uuid4()):
            with db.refused("memories_pkey", "P0002") as caught:
                db.run("SELECT forget_memory(%s)", [memory])
            assert caught.value.diag.message_hint == "Give the id of a memory of your own."
            messages.append(str(caught.value).replace(str(memory), "…"))
        with db.refused("memories_pkey", "P0002"):
            db.run("SELECT forget_memory(NULL)")
    assert messages[0] == messages[1]
    with db.as_anon(), db.refused(sqlstate="42501"):
        db.run("SELECT forget_memory(%s)", [bobs])
    assert db.value("SELECT is_active FROM memories WHERE id = %s", [bobs])
