"""Embeddings: what waits for one, who makes it, and that it is always known of which text it was made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.aurum.world import User, World, add_task, build_world, reflect, write
from tests.people import Person, insert, work_together
from tests.vectors import vector

CLAIM = "SELECT * FROM stale_embeddings(%s, %s)"
SET = "SELECT set_embedding(%s, %s, %s, %s::extensions.vector[])"


@dataclass(frozen=True)
class Kind:
    """A kind of row that has embeddings: what is embedded, and into which columns."""

    name: str
    table: str
    make: Callable[..., UUID]
    written: dict[str, str | None]
    texts: list[str | None]
    embeddings: list[str]

    def add(self, db: Person, user: User, **columns: Any) -> UUID:
        """Insert a row with these texts and return its id."""
        return self.make(db, user, **{**self.written, **columns})

    def claim(self, db: Person, limit: int = 1000) -> list[Any]:
        """Return what a worker is offered."""
        with db.as_service():
            return db.rows(CLAIM, [self.name, limit])

    def vectors(self, place: str = vector(1)) -> list[str | None]:
        """Return an embedding for each text that there is."""
        return [place if text else None for text in self.texts]

    def state(self, db: Person, id: UUID) -> Any:
        """Return all that a row holds about its embeddings."""
        return db.row(
            f"SELECT {', '.join(self.embeddings)}, embedding_model, embedding_updated_at, embedding_hash,"
            f" embedding_claimed_until FROM {self.table} WHERE id = %s",
            [id],
        )

    def embed(self, db: Person, id: UUID, place: str = vector(1)) -> str:
        """Claim what waits, embed this row and return the hash of its texts."""
        (content_hash,) = (row.content_hash for row in self.claim(db) if row.entity_id == id)
        with db.as_service():
            db.run(SET, [self.name, id, content_hash, self.vectors(place)])
        return content_hash


def add_project(db: Person, user: User, **columns: Any) -> UUID:
    return insert(db, "projects", user_id=user.id, area_id=user.area, **columns)


KINDS = [
    Kind(
        "journal_entry",
        "journal_entries",
        write,
        {"content": "A good day", "title": "Today"},
        ["A good day", "Today"],
        ["content_embedding", "title_embedding"],
    ),
    Kind(
        "task",
        "tasks",
        add_task,
        {"description": " ", "name": "Stretch"},
        [None, "Stretch"],
        ["description_embedding", "name_embedding"],
    ),
    Kind(
        "project",
        "projects",
        add_project,
        {"name": "Book", "description": "About tea"},
        ["Book\n\nAbout tea"],
        ["combined_embedding"],
    ),
    Kind(
        "daily_reflection",
        "daily_reflections",
        lambda db, user, **columns: insert(db, "daily_reflections", user_id=user.id, **columns),
        {"reflection_text": "It went well", "biggest_accomplishment": None, "challenges_faced": "Rain"},
        ["It went well", None, "Rain"],
        ["reflection_embedding", "accomplishment_embedding", "challenges_embedding"],
    ),
    Kind(
        "conversation",
        "ai_conversation_memory",
        lambda db, user, **columns: insert(
            db, "ai_conversation_memory", **{"user_id": user.id, "message_role": "user", **columns}
        ),
        {"message_content": "Hello"},
        ["Hello"],
        ["message_embedding"],
    ),
]
PROJECT = KINDS[2]

each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)


# What waits


@pytest.mark.rule("AUR-14", "accepts")
@each_kind
def test_what_lacks_an_embedding_is_offered_with_its_texts(db: Person, world: World, kind: Kind) -> None:
    kind.claim(db)
    id = kind.add(db, world.ann)
    (row,) = kind.claim(db)
    assert (row.entity_id, row.texts) == (id, kind.texts)
    assert len(row.content_hash) == 64
    state = kind.state(db, id)
    assert state.embedding_claimed_until == db.value("SELECT now() + interval '10 minutes'")
    assert state.embedding_hash is None


@pytest.mark.rule("AUR-14", "accepts")
@pytest.mark.parametrize("description", ["", " \n", None])
def test_a_project_may_be_embedded_by_its_name_alone(db: Person, world: World, description: str | None) -> None:
    id = PROJECT.add(db, world.ann, description=description)
    assert [row.texts for row in PROJECT.claim(db) if row.entity_id == id] == [["Book"]]


@pytest.mark.rule("AUR-14", "accepts")
@each_kind
def test_an_embedding_is_stored_with_model_and_time(db: Person, world: World, kind: Kind) -> None:
    id = kind.add(db, world.ann)
    content_hash = kind.embed(db, id)
    state = kind.state(db, id)
    assert list(state[: len(kind.texts)]) == kind.vectors()
    assert state[len(kind.texts) :] == ("text-embedding-3-small", db.value("SELECT now()"), content_hash, None)
    # Nothing waits any more, not even when all leases are over.
    assert id not in [row.entity_id for row in kind.claim(db)]
    db.run(f"UPDATE {kind.table} SET embedding_claimed_until = NULL")
    assert id not in [row.entity_id for row in kind.claim(db)]


@pytest.mark.rule("AUR-14", "accepts")
def test_the_model_is_the_one_said(db: Person, world: World) -> None:
    id = PROJECT.add(db, world.ann)
    (row,) = (row for row in PROJECT.claim(db) if row.entity_id == id)
    with db.as_service():
        db.run(SET[:-1] + ", 'tiny')", ["project", id, row.content_hash, [vector(1)]])
    assert PROJECT.state(db, id).embedding_model == "tiny"


@pytest.mark.rule("AUR-14", "accepts")
@each_kind
def test_the_hash_tells_texts_apart(db: Person, world: World, kind: Kind) -> None:
    column = next(iter(kind.written))
    reflections = [{"reflection_date": f"2026-01-0{day}"} for day in (1, 2, 3)]
    columns = reflections if kind.name == "daily_reflection" else [{}, {}, {}]
    same, again = (kind.add(db, world.ann, **columns[number]) for number in (0, 1))
    other = kind.add(db, world.bob, **{**columns[2], column: "Something else"})
    hashes = {row.entity_id: row.content_hash for row in kind.claim(db)}
    assert hashes[same] == hashes[again] != hashes[other]


@pytest.mark.rule("AUR-14", "accepts")
@each_kind
def test_the_oldest_are_offered_first(db: Person, world: World, kind: Kind) -> None:
    kind.claim(db)
    kind.add(db, world.ann)
    old = kind.add(db, world.bob, created_at="2020-01-01")
    assert [row.entity_id for row in kind.claim(db, 1)] == [old]


@pytest.mark.rule("AUR-14", "refuses")
@each_kind
def test_for_ten_minutes_nobody_else_is_offered_it(db: Person, world: World, kind: Kind) -> None:
    id = kind.add(db, world.ann)
    kind.claim(db)
    left = f"UPDATE {kind.table} SET embedding_claimed_until = now() + %s * interval '1 second' WHERE id = %s"
    for seconds, offered in ((600, []), (0.001, []), (0, [id]), (-1, [id])):
        db.run(left, [seconds, id])
        assert [row.entity_id for row in kind.claim(db)] == offered, seconds


@pytest.mark.rule("AUR-14", "accepts")
@pytest.mark.rule("AUR-14", "refuses")
def test_from_1_to_1000_are_claimed_at_once(db: Person, world: World) -> None:
    db.run(
        "INSERT INTO ai_conversation_memory (user_id, message_role, message_content)"
        " SELECT %s, 'user', 'Hello' FROM generate_series(1, 1101)",
        [world.ann.id],
    )
    with db.as_service():
        for limit in (0, -1, 1001, None):
            with db.refused(sqlstate="22023"):
                db.rows(CLAIM, ["conversation", limit])
        assert len(db.rows(CLAIM, ["conversation", 1])) == 1
        assert len(db.rows("SELECT * FROM stale_embeddings('conversation')")) == 100
        assert len(db.rows(CLAIM, ["conversation", 1000])) == 1000
        assert db.rows(CLAIM, ["conversation", 1000]) == []


@pytest.mark.rule("AUR-14", "refuses")
@pytest.mark.parametrize("name", ["tasks", "", None, "pillar"])
def test_nothing_else_has_embeddings(db: Person, name: str | None) -> None:
    with db.as_service():
        with db.refused(sqlstate="22023"):
            db.rows(CLAIM, [name, 1])
        with db.refused(sqlstate="22023"):
            db.run(SET, [name, uuid4(), "x", [vector(1)]])


# What is stored


@pytest.mark.rule("AUR-14", "refuses")
@each_kind
def test_an_embedding_of_a_text_that_has_changed_since_is_refused(db: Person, world: World, kind: Kind) -> None:
    id = kind.add(db, world.ann)
    for column in kind.written:
        (row,) = (row for row in kind.claim(db) if row.entity_id == id)
        db.run(f"UPDATE {kind.table} SET {column} = 'Something else about ' || %s WHERE id = %s", [column, id])
        with db.as_service(), db.refused(f"{kind.table}_embedding_hash_check", "23514"):
            db.run(SET, [kind.name, id, row.content_hash, kind.vectors()])
    with db.as_service(), db.refused(f"{kind.table}_embedding_hash_check", "23514"):
        db.run(SET, [kind.name, id, None, kind.vectors()])
    assert kind.state(db, id)[: len(kind.texts)] == (None,) * len(kind.texts)


@pytest.mark.rule("AUR-14", "refuses")
@each_kind
def test_an_embedding_of_what_is_gone_is_refused(db: Person, world: World, kind: Kind) -> None:
    id = kind.add(db, world.ann)
    (row,) = (row for row in kind.claim(db) if row.entity_id == id)
    db.run(f"DELETE FROM {kind.table} WHERE id = %s", [id])
    with db.as_service():
        for gone in (id, uuid4(), None):
            with db.refused(f"{kind.table}_pkey", "P0002"):
                db.run(SET, [kind.name, gone, row.content_hash, kind.vectors()])


@pytest.mark.rule("AUR-14", "refuses")
@each_kind
def test_there_is_one_embedding_for_each_text(db: Person, world: World, kind: Kind) -> None:
    id = kind.add(db, world.ann)
    (row,) = (row for row in kind.claim(db) if row.entity_id == id)
    right = kind.vectors()
    wrong = [None, [], [*right, None], [*right, vector(1)], right[:-1]]
    for number, place in enumerate(right):
        wrong.append([*right[:number], None if place else vector(1), *right[number + 1 :]])
    with db.as_service():
        for embeddings in wrong:
            with db.refused(sqlstate="22023"):
                db.run(SET, [kind.name, id, row.content_hash, embeddings])
        assert db.run(SET, [kind.name, id, row.content_hash, right]) == 1


@pytest.mark.rule("AUR-14", "refuses")
@each_kind
def test_an_embedding_without_direction_is_refused(db: Person, world: World, kind: Kind) -> None:
    id = kind.add(db, world.ann)
    (row,) = (row for row in kind.claim(db) if row.entity_id == id)
    rule = kind.embeddings[0] if len(kind.embeddings) == 1 else "embeddings"
    for number, text in enumerate(kind.texts):
        for place in (vector(0), vector(1e-30, 1e-30), vector(1e30, 1e30)):
            embeddings = [place if n == number else right for n, right in enumerate(kind.vectors())]
            if text:
                with db.as_service(), db.refused(f"{kind.table}_{rule}_check", "23514"):
                    db.run(SET, [kind.name, id, row.content_hash, embeddings])
    with db.as_service(), db.refused(sqlstate="22000"):
        db.run(SET, [kind.name, id, row.content_hash, kind.vectors("[1,2,3]")])


# Texts that change


@pytest.mark.rule("AUR-14", "accepts")
@each_kind
def test_a_text_that_changes_makes_its_embedding_stale(db: Person, world: World, kind: Kind) -> None:
    for column in kind.written:
        id = kind.add(db, world.ann)
        kind.embed(db, id)
        with db.as_user(world.ann.id):
            db.run(f"UPDATE {kind.table} SET {column} = 'Something else' WHERE id = %s", [id])
        state = kind.state(db, id)
        # The old ones stay until there are new ones.
        assert list(state[: len(kind.texts)]) == kind.vectors()
        assert state.embedding_hash is None
        (row,) = (row for row in kind.claim(db) if row.entity_id == id)
        assert "Something else" in "".join(filter(None, row.texts))
        db.run(f"DELETE FROM {kind.table} WHERE id = %s", [id])


@pytest.mark.rule("AUR-14", "accepts")
@each_kind
def test_a_text_that_changes_while_it_is_embedded_is_offered_at_once(db: Person, world: World, kind: Kind) -> None:
    id = kind.add(db, world.ann)
    kind.claim(db)
    with db.as_user(world.ann.id):
        db.run(f"UPDATE {kind.table} SET {next(iter(kind.written))} = 'Something else' WHERE id = %s", [id])
    assert [row.entity_id for row in kind.claim(db)] == [id]


@pytest.mark.rule("AUR-14", "refuses")
@each_kind
def test_what_leaves_the_text_as_it_was_leaves_the_embedding(db: Person, world: World, kind: Kind) -> None:
    id = kind.add(db, world.ann)
    content_hash = kind.embed(db, id)
    sets = ", ".join(f"{column} = {column}" for column in kind.written)
    with db.as_user(world.ann.id):
        assert db.run(f"UPDATE {kind.table} SET {sets} WHERE id = %s", [id]) == 1
    assert kind.state(db, id).embedding_hash == content_hash


# Who writes them


STRANGE = {
    "embedding_model": "tiny",
    "embedding_updated_at": "2020-01-01 00:00+00",
    "embedding_hash": "made up",
    "embedding_claimed_until": "infinity",
}


@pytest.mark.rule("AUR-14", "refuses")
@each_kind
def test_users_store_no_embeddings_with_a_new_row(db: Person, world: World, kind: Kind) -> None:
    written = {**dict.fromkeys(kind.embeddings, vector(1)), **STRANGE}
    untouched = (*[None] * len(kind.embeddings), "text-embedding-3-small", None, None, None)
    with db.as_user(world.ann.id):
        # One by one, since each has to be looked at.
        for columns in (written, *({column: value} for column, value in written.items())):
            id = kind.add(db, world.ann, **columns)
            assert kind.state(db, id) == untouched, list(columns)
            db.run(f"DELETE FROM {kind.table} WHERE id = %s", [id])


@pytest.mark.rule("AUR-14", "refuses")
@each_kind
def test_users_change_no_embeddings(db: Person, world: World, kind: Kind) -> None:
    id = kind.add(db, world.ann)
    kind.embed(db, id)
    before = kind.state(db, id)
    written = {**dict.fromkeys(kind.embeddings, vector(0, 1)), **STRANGE}
    with db.as_user(world.ann.id):
        for columns in (written, dict.fromkeys(written), *({column: value} for column, value in written.items())):
            sets = ", ".join(f"{column} = %({column})s" for column in columns)
            db.run(f"UPDATE {kind.table} SET {sets} WHERE id = %(id)s", {**columns, "id": id})
            assert kind.state(db, id) == before, list(columns)


@pytest.mark.rule("AUR-14", "accepts")
@each_kind
def test_a_service_may_import_embeddings(db: Person, world: World, kind: Kind) -> None:
    written = {
        **dict.fromkeys(kind.embeddings, vector(1)),
        **STRANGE,
        "embedding_claimed_until": db.value("SELECT now()"),
        "embedding_updated_at": db.value("SELECT now()"),
    }
    with db.as_service():
        id = kind.add(db, world.ann, **written)
        assert kind.state(db, id) == tuple(written.values())
        other = kind.add(db, world.bob)
        sets = ", ".join(f"{column} = %({column})s" for column in written)
        db.run(f"UPDATE {kind.table} SET {sets} WHERE id = %(id)s", {**written, "id": other})
        assert kind.state(db, other) == tuple(written.values())


@pytest.mark.rule("AUR-14", "refuses")
@pytest.mark.parametrize("role", ["user", "anon"])
def test_only_services_embed(db: Person, world: World, role: str) -> None:
    with db.as_anon() if role == "anon" else db.as_user(world.ann.id):
        for sql, params in (
            (CLAIM, ["task", 1]),
            (SET, ["task", world.ann.task, "x", [vector(1), vector(1)]]),
            ("SELECT * FROM embedding_coverage", []),
        ):
            with db.refused(sqlstate="42501"):
                db.run(sql, params)


# Workers


@pytest.mark.rule("AUR-14", "accepts")
@pytest.mark.rule("AUR-14", "refuses")
@each_kind
def test_twenty_workers_embed_everything_once(connect: Callable[[], Person], kind: Kind) -> None:
    owner = connect()
    ann = build_world(owner).ann
    rest = {
        "journal_entries": ("title, content", "'Today', 'Day ' || n"),
        "tasks": ("project_id, name", f"'{ann.project}', 'Task ' || n"),
        "projects": ("area_id, name", f"'{ann.area}', 'Project ' || n"),
        "daily_reflections": ("reflection_date, reflection_text", "current_date - n, 'Day ' || n"),
        "ai_conversation_memory": ("message_role, message_content", "'user', 'Hello ' || n"),
    }
    columns, values = rest[kind.table]
    owner.run(
        f"INSERT INTO {kind.table} (user_id, {columns}) SELECT %s, {values} FROM generate_series(1, 150) AS n",
        [ann.id],
    )
    # One of Ann's and one of Bob's.
    owner.run(f"DELETE FROM {kind.table} WHERE created_at < (SELECT max(created_at) FROM {kind.table})")
    claimed: dict[UUID, Any] = {}

    def claim(worker: Person, limit: int) -> list[UUID]:
        rows = worker.rows(CLAIM, [kind.name, limit])
        claimed.update({row.entity_id: row for row in rows})
        return [row.entity_id for row in rows]

    def finish(worker: Person, id: UUID) -> None:
        embeddings = [vector(1) if text else None for text in claimed[id].texts]
        worker.run(SET, [kind.name, id, claimed[id].content_hash, embeddings])

    left = work_together(connect, claim, finish, 150)
    done = owner.value(f"SELECT count(*) FROM {kind.table} WHERE embedding_hash IS NOT NULL")
    assert done == 150 - left


@pytest.mark.rule("AUR-14", "refuses")
def test_nobody_waits_for_a_row_that_somebody_is_changing(connect: Callable[[], Person]) -> None:
    writer, worker = connect(), connect()
    ann = build_world(writer).ann
    with writer.conn.transaction():
        writer.run("UPDATE tasks SET name = 'Run far' WHERE id = %s", [ann.task])
        with worker.as_service():
            assert ann.task not in [row.entity_id for row in worker.rows(CLAIM, ["task", 100])]
    with worker.as_service():
        assert [row.texts for row in worker.rows(CLAIM, ["task", 100])] == [[None, "Run far"]]


# How far it has got


@pytest.mark.rule("AUR-14", "accepts")
def test_coverage_is_the_share_that_has_embeddings_of_its_text(db: Person, world: World) -> None:
    embedded = [add_task(db, world.ann) for _ in range(4)]
    for id in embedded:
        KINDS[1].embed(db, id)
        db.run("UPDATE tasks SET embedding_claimed_until = NULL")
    db.run("UPDATE tasks SET name = 'Changed' WHERE id = %s", [embedded[0]])
    KINDS[0].embed(db, write(db, world.ann))
    reflect(db, world.ann)
    with db.as_service():
        rows = db.rows("SELECT * FROM embedding_coverage ORDER BY entity")
    assert [(*row[:3], row.coverage if row.coverage is None else float(row.coverage)) for row in rows] == [
        ("conversation", 0, 0, None),
        ("daily_reflection", 1, 0, 0),
        ("journal_entry", 1, 1, 1),
        ("project", 2, 0, 0),
        ("task", 6, 3, 0.5),
    ]


@pytest.mark.rule("AUR-14", "accepts")
@each_kind
def test_coverage_counts_every_kind(db: Person, world: World, kind: Kind) -> None:
    count = "SELECT total, embedded FROM embedding_coverage WHERE entity = %s"
    before = db.row(count, [kind.name])
    id = kind.add(db, world.ann)
    assert db.row(count, [kind.name]) == (before.total + 1, before.embedded)
    kind.embed(db, id)
    assert db.row(count, [kind.name]) == (before.total + 1, before.embedded + 1)
