"""Vector sync: what waits in the queue, who holds it, and that nothing is lost when a worker dies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.hugo.world import World, build_world
from tests.people import Person, blocked, insert

LEASE = "SELECT * FROM sync_knowledge_to_vector(%s)"
COMPLETE = "SELECT set_knowledge_vector(%s, %s, %s)"
EDIT = "UPDATE knowledge_entries SET content = %s WHERE id = %s"


def learn(db: Person, kb: UUID, title: str = "Trust", content: str = "Begins small") -> UUID:
    """Create a knowledge entry and return its id."""
    return insert(db, "knowledge_entries", knowledge_base_id=kb, title=title, content=content)


def learn_many(db: Person, kb: UUID, number: int) -> None:
    db.run(
        "INSERT INTO knowledge_entries (knowledge_base_id, title, content)"
        " SELECT %s, 'Entry ' || n, 'Text' FROM generate_series(1, %s) AS n",
        [kb, number],
    )


def lease(db: Person, size: int | None = 100) -> list[Any]:
    return db.rows(LEASE, [size])


def complete(db: Person, entry: UUID, content_hash: str | None, key: str | None = "v1") -> bool:
    return db.value(COMPLETE, [entry, key, content_hash])


def expire_leases(db: Person) -> None:
    db.run("UPDATE knowledge_sync_queue SET leased_until = clock_timestamp() - interval '1 microsecond'")


def queued(db: Person) -> list[UUID]:
    return [row.entry_id for row in db.rows("SELECT entry_id FROM knowledge_sync_queue ORDER BY queued_at, entry_id")]


def vector(db: Person, entry: UUID) -> str | None:
    return db.value("SELECT vector_store_id FROM knowledge_entries WHERE id = %s", [entry])


@pytest.fixture
def synced(db: Person, world: World) -> UUID:
    """An entry whose vector is up to date."""
    entry = learn(db, world.kb)
    (row,) = lease(db)
    assert complete(db, entry, row.content_hash)
    assert queued(db) == []
    return entry


# The queue


@pytest.mark.rule("HUGO-41", "accepts")
def test_an_entry_is_leased_and_completed(db: Person, world: World) -> None:
    with db.as_service():
        entry = learn(db, world.kb, "Trust", "Begins small")
        (row,) = lease(db)
        assert (row.id, row.title, row.content) == (entry, "Trust", "Begins small")
        assert complete(db, entry, row.content_hash, "key") is True
        assert (vector(db, entry), queued(db), lease(db)) == ("key", [], [])
        # Completing it once more, after a lost answer, is harmless.
        assert complete(db, entry, row.content_hash, "key") is True


@pytest.mark.rule("HUGO-41", "accepts")
@pytest.mark.parametrize("change", ["title = 'Other'", "content = 'Other'", "title = content, content = title"])
def test_a_changed_entry_waits_again(db: Person, synced: UUID, change: str) -> None:
    with db.as_service():
        db.run(f"UPDATE knowledge_entries SET {change}")
        assert [row.id for row in lease(db)] == [synced]


@pytest.mark.rule("HUGO-41", "refuses")
@pytest.mark.parametrize(
    "change",
    [
        "title = title, content = content",
        "tags = '{new}'",
        "category = 'examples', section_number = 1, metadata = '{}'",
        "access_count = access_count + 1, last_accessed_at = now()",
        "vector_store_id = 'moved'",
    ],
)
def test_what_a_vector_does_not_depend_on_queues_nothing(db: Person, synced: UUID, change: str) -> None:
    with db.as_service():
        assert db.run(f"UPDATE knowledge_entries SET {change}") == 1
        assert queued(db) == []


@pytest.mark.rule("HUGO-41", "accepts")
def test_the_hash_tells_title_from_content(db: Person, world: World) -> None:
    texts = (("ab", "c"), ("a", "bc"), ("c", "ab"), ("ab", "d"), ("é", "c"))
    for title, content in texts:
        learn(db, world.kb, title, content)
    with db.as_service():
        assert len({row.content_hash for row in lease(db)}) == len(texts)


@pytest.mark.rule("HUGO-41", "accepts")
def test_entries_are_offered_in_the_order_in_which_they_came(db: Person, world: World) -> None:
    entries = [learn(db, world.kb) for _ in range(4)]
    for age, entry in enumerate(entries):
        db.run(
            "UPDATE knowledge_sync_queue SET queued_at = now() - %s * interval '1 hour' WHERE entry_id = %s",
            [age, entry],
        )
    with db.as_service():
        assert [[row.id for row in lease(db, 2)] for _ in range(3)] == [entries[:1:-1], entries[1::-1], []]


@pytest.mark.rule("HUGO-41", "accepts")
@pytest.mark.rule("HUGO-41", "refuses")
@pytest.mark.parametrize(
    ("size", "rows"), [(None, 100), (-1, 1), (0, 1), (1, 1), (2, 2), (100, 100), (1000, 1000), (1001, 1000)]
)
def test_a_batch_is_of_1_to_1000(db: Person, world: World, size: int | None, rows: int) -> None:
    learn_many(db, world.kb, 1001 if rows == 1000 else 101)
    with db.as_service():
        assert len(lease(db, size)) == rows


@pytest.mark.rule("HUGO-41", "accepts")
def test_a_batch_is_of_100_unless_told(db: Person, world: World) -> None:
    learn_many(db, world.kb, 101)
    with db.as_service():
        assert len(db.rows("SELECT * FROM sync_knowledge_to_vector()")) == 100


# Leases


@pytest.mark.rule("HUGO-41", "accepts")
def test_a_lease_lasts_ten_minutes_and_then_the_entry_is_offered_again(db: Person, world: World) -> None:
    entry = learn(db, world.kb)
    with db.as_service():
        (first,) = lease(db)
        assert db.value(
            "SELECT leased_until BETWEEN now() + interval '10 minutes' AND clock_timestamp() + interval '10 minutes'"
            " FROM knowledge_sync_queue"
        )
        assert lease(db) == []
        db.run("UPDATE knowledge_sync_queue SET leased_until = clock_timestamp() + interval '1 minute'")
        assert lease(db) == []
        expire_leases(db)
        assert lease(db) == [first]
        assert lease(db) == []
        # The first worker was slow, not dead: what it brings is still right.
        assert complete(db, entry, first.content_hash) is True


@pytest.mark.rule("HUGO-41", "refuses")
def test_an_entry_changed_while_leased_stays_queued(db: Person, world: World) -> None:
    entry = learn(db, world.kb)
    with db.as_service():
        (old,) = lease(db)
        db.run(EDIT, ["New", entry])
        assert lease(db) == []
        assert complete(db, entry, old.content_hash) is False
        assert vector(db, entry) is None
        (new,) = lease(db)
        assert (new.content, new.content_hash != old.content_hash) == ("New", True)
        assert complete(db, entry, new.content_hash, "v2") is True
        assert (vector(db, entry), queued(db)) == ("v2", [])


@pytest.mark.rule("HUGO-41", "refuses")
def test_a_late_worker_does_not_end_the_lease_of_another(db: Person, world: World) -> None:
    entry = learn(db, world.kb)
    with db.as_service():
        (old,) = lease(db)
        expire_leases(db)
        db.run(EDIT, ["New", entry])
        (new,) = lease(db)
        assert complete(db, entry, old.content_hash) is False
        assert lease(db) == []
        assert complete(db, entry, new.content_hash) is True


@pytest.mark.rule("HUGO-41", "refuses")
def test_a_vector_of_another_text_is_not_taken(db: Person, synced: UUID) -> None:
    with db.as_service():
        for content_hash in ("", "0" * 64, None):
            assert complete(db, synced, content_hash, "wrong") is False
        assert vector(db, synced) == "v1"
        assert complete(db, uuid4(), "0" * 64) is False


@pytest.mark.rule("HUGO-41", "refuses")
@pytest.mark.parametrize("key", [None, "", " \n", "\u200b"])
def test_a_vector_without_a_key_is_refused(db: Person, world: World, key: str | None) -> None:
    entry = learn(db, world.kb)
    with db.as_service():
        (row,) = lease(db)
        with db.refused(sqlstate="22023"):
            complete(db, entry, row.content_hash, key)
        assert queued(db) == [entry]


@pytest.mark.rule("HUGO-41", "refuses")
def test_a_deleted_entry_leaves_the_queue_also_while_leased(db: Person, world: World) -> None:
    leased, waiting = learn(db, world.kb), learn(db, world.kb)
    with db.as_service():
        (row,) = (row for row in lease(db) if row.id == leased)
        db.run("DELETE FROM knowledge_entries")
        assert queued(db) == []
        assert complete(db, leased, row.content_hash) is False
        assert complete(db, waiting, "") is False


@pytest.mark.rule("HUGO-41", "refuses")
def test_users_neither_lease_nor_complete_nor_look(db: Person, world: World) -> None:
    learn(db, world.kb)
    for acting in (db.as_user(world.ann), db.as_anon()):
        with acting:
            for sql in (
                "SELECT sync_knowledge_to_vector()",
                "SELECT set_knowledge_vector(NULL, NULL, NULL)",
                "SELECT entry_id FROM knowledge_sync_queue",
            ):
                with db.refused(sqlstate="42501"):
                    db.run(sql)


# Workers that meet


@pytest.mark.rule("HUGO-41", "refuses")
def test_two_workers_never_hold_the_same_entry(connect: Callable[[], Person]) -> None:
    one, two = connect(), connect()
    world = build_world(one)
    learn_many(one, world.kb, 5)
    one.run("BEGIN")
    first = {row.id for row in lease(one, 3)}
    # The first worker's lease is not committed, and the second neither waits for it nor gets the same.
    two.run("SET lock_timeout = '1s'")
    second = {row.id for row in lease(two, 3)}
    one.run("COMMIT")
    assert (len(first), len(second), first & second) == (3, 2, set())
    assert lease(one) == lease(two) == []


@pytest.mark.rule("HUGO-41", "accepts")
@pytest.mark.rule("HUGO-41", "refuses")
def test_eight_workers_share_the_queue_and_drain_it(connect: Callable[[], Person]) -> None:
    workers = [connect() for _ in range(8)]
    world = build_world(workers[0])
    learn_many(workers[0], world.kb, 200)

    def work(worker: Person) -> list[UUID]:
        done = []
        with worker.as_service():
            while batch := lease(worker, 7):
                done += [row.id for row in batch if complete(worker, row.id, row.content_hash, str(row.id))]
        return done

    with ThreadPoolExecutor(8) as pool:
        done = Counter(entry for entries in pool.map(work, workers) for entry in entries)
    # Whoever found nothing free may have stopped while others still held theirs; all the same nothing is left.
    assert (len(done), set(done.values())) == (200, {1})
    assert queued(workers[0]) == []
    assert workers[0].value("SELECT count(*) FROM knowledge_entries WHERE vector_store_id = id::text") == 200


@pytest.mark.rule("HUGO-41", "accepts")
@pytest.mark.parametrize("dies", ["before its lease is committed", "holding its lease"])
def test_a_worker_that_dies_loses_nothing(connect: Callable[[], Person], dies: str) -> None:
    worker, other = connect(), connect()
    world = build_world(other)
    learn_many(other, world.kb, 3)
    if dies.startswith("before"):
        worker.run("BEGIN")
    held = lease(worker)
    assert len(held) == 3 and lease(other) == []
    pid = worker.conn.info.backend_pid
    worker.conn.close()
    while other.rows("SELECT FROM pg_stat_activity WHERE pid = %s", [pid]):
        pass
    if not dies.startswith("before"):
        assert lease(other) == []
        expire_leases(other)
    assert {row.id for row in lease(other)} == {row.id for row in held}


@pytest.mark.rule("HUGO-41", "accepts")
def test_an_edit_that_meets_a_completion_keeps_the_entry_queued(connect: Callable[[], Person]) -> None:
    editor, worker = connect(), connect()
    world = build_world(editor)
    entry = learn(editor, world.kb)
    # The completion comes first: the edit waits and queues the entry anew.
    (row,) = lease(worker)
    worker.run("BEGIN")
    assert complete(worker, entry, row.content_hash) is True
    with blocked(editor, worker, EDIT, ["Second", entry]) as outcome:
        worker.run("COMMIT")
    assert outcome.result() == 1
    assert (queued(editor), vector(editor, entry)) == ([entry], "v1")
    # The edit comes first: the completion waits, sees another text and leaves the entry queued.
    (row,) = lease(worker)
    assert row.content == "Second"
    editor.run("BEGIN")
    editor.run(EDIT, ["Third", entry])
    complete_late = (
        "UPDATE knowledge_bases SET description = set_knowledge_vector(%s, 'v2', %s)::text",
        [entry, row.content_hash],
    )
    with blocked(worker, editor, *complete_late) as outcome:
        editor.run("COMMIT")
    assert outcome.result() == 1
    assert worker.value("SELECT description FROM knowledge_bases") == "false"
    assert (queued(editor), vector(editor, entry)) == ([entry], "v1")
    assert [row.content for row in lease(worker)] == ["Third"]


@pytest.mark.rule("HUGO-41", "accepts")
def test_a_deletion_that_meets_a_completion_wins(connect: Callable[[], Person]) -> None:
    editor, worker = connect(), connect()
    world = build_world(editor)
    entry = learn(editor, world.kb)
    (row,) = lease(worker)
    editor.run("BEGIN")
    assert editor.run("DELETE FROM knowledge_entries") == 1
    with blocked(worker, editor, COMPLETE, [entry, "v1", row.content_hash]) as outcome:
        editor.run("COMMIT")
    assert outcome.result() == 1
    assert queued(editor) == []
    assert complete(worker, entry, row.content_hash) is False
