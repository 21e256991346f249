"""Documents and their chunks: what they hold, the states of processing, and who works on them."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from threading import Barrier
from typing import Any
from uuid import UUID, uuid4

import pytest
from psycopg.types.json import Jsonb

from tests.people import Person, blocked
from tests.thinking_partner.world import World, build_world, cut, remember, upload
from tests.vectors import vector

STATES = ["pending", "processing", "completed", "failed"]
STEPS = {("pending", "processing"), ("processing", "completed"), ("processing", "failed"), ("failed", "pending")}
TRANSITION = "documents_processing_status_transition_check"
CLAIM = "SELECT * FROM claim_pending_documents(%s)"


def upload_as(db: Person, world: World, state: str) -> UUID:
    """Insert a document of Ann's in a state, as the owner of the schema."""
    return upload(db, world.ann, processing_status=state, error_message="Broken" if state == "failed" else None)


def state(db: Person, document: UUID) -> str:
    return db.value("SELECT processing_status FROM documents WHERE id = %s", [document])


def set_state(db: Person, document: UUID, to: str, error: str | None = None) -> int:
    return db.run(
        "UPDATE documents SET processing_status = %s, error_message = coalesce(%s, error_message) WHERE id = %s",
        [to, error, document],
    )


# What a document holds


@pytest.mark.rule("TP-13", "accepts")
@pytest.mark.parametrize(
    ("column", "value"),
    [
        *(("file_type", kind) for kind in ("pdf", "docx", "txt", "md")),
        *(("file_size", size) for size in (None, 0, 2**31 - 1)),
        ("filename", "."),
        ("filename", " né.pdf\n"),
        *(("page_count", count) for count in (None, 0, 12)),
        *(("word_count", count) for count in (None, 0, 1800)),
        ("storage_path", None),
        ("file_url", "https://example.org/f"),
    ],
)
def test_a_proper_document_is_kept(db: Person, world: World, column: str, value: Any) -> None:
    with db.as_user(world.ann.id):
        document = upload(db, world.ann, **{column: value})
        changed = upload(db, world.ann)
        assert db.run(f"UPDATE documents SET {column} = %s WHERE id = %s", [value, changed]) == 1
        for one in (document, changed):
            assert db.value(f"SELECT {column} FROM documents WHERE id = %s", [one]) == value


@pytest.mark.rule("TP-13", "accepts")
def test_a_document_lies_in_its_owners_folder(db: Person, world: World) -> None:
    with db.as_user(world.ann.id):
        path = f"{world.ann.id}/{uuid4()}/original.md"
        document = upload(db, world.ann, storage_path=path)
        assert db.value("SELECT storage_path FROM documents WHERE id = %s", [document]) == path


@pytest.mark.rule("TP-13", "refuses")
@pytest.mark.parametrize(
    "path", ["", "/", "original.md", "{bob}/original.md", "{ann}", "{ann}2/original.md", "/{ann}/a.md", "./{ann}/a.md"]
)
def test_a_document_lies_nowhere_else(db: Person, world: World, path: str) -> None:
    path = path.format(ann=world.ann.id, bob=world.bob.id)
    for acting in (db.as_user(world.ann.id), db.as_service()):
        with acting:
            with db.refused("documents_storage_path_check", "23514"):
                upload(db, world.ann, storage_path=path)
            upload(db, world.ann)
            with db.refused("documents_storage_path_check", "23514"):
                db.run("UPDATE documents SET storage_path = %s", [path])


@pytest.mark.rule("TP-13", "refuses")
@pytest.mark.parametrize(
    ("column", "value", "rule"),
    [
        *(("file_type", kind, "documents_file_type_check") for kind in ("", "PDF", "pdf ", ".pdf", "html")),
        ("file_size", -1, "documents_file_size_check"),
        *(("filename", name, "documents_filename_check") for name in ("", " ", "\t\n", "\u00a0", "\u200b")),
        ("page_count", -1, "documents_counts_check"),
        ("word_count", -1, "documents_counts_check"),
    ],
)
def test_an_improper_document_is_refused(db: Person, world: World, column: str, value: Any, rule: str) -> None:
    with db.as_user(world.ann.id):
        with db.refused(rule, "23514"):
            upload(db, world.ann, **{column: value})
        upload(db, world.ann)
        with db.refused(rule, "23514"):
            db.run(f"UPDATE documents SET {column} = %s", [value])


@pytest.mark.rule("TP-13", "refuses")
@pytest.mark.parametrize("column", ["user_id", "filename", "file_type", "processing_status", "created_at"])
def test_nothing_a_document_needs_is_null(db: Person, world: World, column: str) -> None:
    with db.as_service(), db.refused(sqlstate="23502") as caught:
        upload(db, world.ann, **{column: None})
    assert caught.value.diag.column_name == column


@pytest.mark.rule("TP-13", "refuses")
def test_a_document_cannot_be_given_away_or_dated(db: Person, world: World) -> None:
    with db.as_user(world.ann.id):
        document = upload(db, world.ann, created_at="2020-01-01")
        assert db.value("SELECT created_at = now() FROM documents WHERE id = %s", [document])
        for column, value in (("user_id", world.bob.id), ("id", uuid4())):
            with db.refused("documents_immutable_check", "23514"):
                db.run(f"UPDATE documents SET {column} = %s", [value])
        assert db.run("UPDATE documents SET id = id, user_id = user_id, created_at = '2020-01-01'") == 1
        assert db.value("SELECT created_at = now() FROM documents WHERE id = %s", [document])


@pytest.mark.rule("TP-02", "refuses")
def test_anothers_project_looks_like_none_to_documents_too(db: Person, world: World) -> None:
    messages = []
    with db.as_user(world.ann.id):
        for project in (world.bob.project, uuid4()):
            with db.refused("documents_project_id_fkey", "23503") as caught:
                upload(db, world.ann, project_id=project)
            messages.append(str(caught.value).replace(str(project), "…"))
    assert messages[0] == messages[1]


@pytest.mark.rule("TP-02", "accepts")
def test_with_a_project_go_its_documents_and_their_chunks(db: Person, world: World) -> None:
    everywhere, scoped = (upload(db, world.ann, project_id=project) for project in (None, world.ann.project))
    for document in (everywhere, scoped):
        cut(db, document)
    with db.as_user(world.ann.id):
        db.run("DELETE FROM projects WHERE id = %s", [world.ann.project])
        assert db.rows("SELECT id FROM documents") == [(everywhere,)]
        assert db.rows("SELECT document_id FROM chunks") == [(everywhere,)]


@pytest.mark.rule("TP-15", "accepts")
def test_with_a_user_go_their_documents_and_chunks(db: Person, world: World) -> None:
    anns, bobs = upload(db, world.ann), upload(db, world.bob)
    for document in (anns, bobs):
        cut(db, document)
    db.run("DELETE FROM auth.users WHERE id = %s", [world.ann.id])
    assert db.rows("SELECT id FROM documents") == [(bobs,)]
    assert db.rows("SELECT document_id FROM chunks") == [(bobs,)]


# The states of processing


@pytest.mark.rule("TP-14", "accepts")
@pytest.mark.rule("TP-14", "refuses")
@pytest.mark.parametrize("service", [False, True], ids=["user", "service"])
@pytest.mark.parametrize(("before", "after"), list(product(STATES, STATES)))
def test_a_document_takes_the_steps_of_processing(
    db: Person, world: World, before: str, after: str, service: bool
) -> None:
    document = upload_as(db, world, before)
    with db.as_service() if service else db.as_user(world.ann.id):
        if before == after or (before, after) in STEPS:
            error = "Broken" if after == "failed" else None
            assert set_state(db, document, after, error) == 1
            expected = after
        else:
            with db.refused(TRANSITION, "23514") as caught:
                set_state(db, document, after, "Broken" if after == "failed" else None)
            assert caught.value.diag.message_hint
            expected = before
        row = db.row("SELECT * FROM documents WHERE id = %s", [document])
    assert row.processing_status == expected
    assert (row.processed_at is not None) is (expected == "completed")
    assert (row.error_message is not None) is (expected == "failed")
    assert (row.claimed_until is not None) is (expected == "processing")


@pytest.mark.rule("TP-14", "refuses")
@pytest.mark.parametrize("value", ["", "done", "Pending", "pending "])
def test_there_is_no_other_state(db: Person, world: World, value: str) -> None:
    with db.as_service(), db.refused("documents_processing_status_check", "23514"):
        upload(db, world.ann, processing_status=value)


@pytest.mark.rule("TP-14", "refuses")
@pytest.mark.parametrize("value", STATES[1:])
def test_a_user_starts_with_a_pending_document(db: Person, world: World, value: str) -> None:
    with db.as_user(world.ann.id), db.refused(TRANSITION, "42501"):
        upload_as(db, world, value)


@pytest.mark.rule("TP-14", "accepts")
@pytest.mark.parametrize("value", STATES)
def test_a_service_imports_documents_in_any_state(db: Person, world: World, value: str) -> None:
    with db.as_service():
        document = upload_as(db, world, value)
    assert state(db, document) == value


@pytest.mark.rule("TP-14", "accepts")
def test_a_user_sends_a_whole_row_back(db: Person, world: World) -> None:
    document = upload_as(db, world, "completed")
    upsert = (
        "INSERT INTO documents (id, user_id, filename, file_type, processing_status)"
        " VALUES (%s, %s, 'new.md', 'md', 'completed') ON CONFLICT (id) DO UPDATE SET"
        " filename = excluded.filename, processing_status = excluded.processing_status"
    )
    with db.as_user(world.ann.id):
        assert db.run(upsert, [document, world.ann.id]) == 1
    assert db.row("SELECT filename, processing_status FROM documents") == ("new.md", "completed")


@pytest.mark.rule("TP-14", "accepts")
def test_processed_at_is_when_it_was_completed(db: Person, world: World) -> None:
    document = upload_as(db, world, "processing")
    with db.as_service():
        db.run("UPDATE documents SET processing_status = 'completed', processed_at = '2020-01-01'")
        done = db.value("SELECT processed_at FROM documents WHERE id = %s", [document])
        assert db.value("SELECT %s BETWEEN now() AND clock_timestamp()", [done])
        # It stays, whatever is sent for it.
        for value in ("2020-01-01", None):
            db.run("UPDATE documents SET processed_at = %s", [value])
            assert db.value("SELECT processed_at FROM documents WHERE id = %s", [document]) == done
        imported = upload(db, world.ann, processing_status="completed", processed_at="2020-01-01Z")
        assert db.value("SELECT processed_at = '2020-01-01Z' FROM documents WHERE id = %s", [imported])


@pytest.mark.rule("TP-14", "refuses")
@pytest.mark.parametrize("value", ["pending", "processing", "failed"])
def test_what_is_not_completed_was_not_processed(db: Person, world: World, value: str) -> None:
    document = upload_as(db, world, value)
    with db.as_service():
        db.run("UPDATE documents SET processed_at = now()")
        assert db.value("SELECT processed_at FROM documents WHERE id = %s", [document]) is None


@pytest.mark.rule("TP-14", "refuses")
def test_a_restore_without_triggers_says_when_it_was_completed(db: Person, world: World) -> None:
    db.run("SET LOCAL session_replication_role = replica")
    upload(db, world.ann, processing_status="completed", processed_at="2020-01-01")
    for status, time in (("completed", None), ("processing", "2020-01-01")):
        with db.refused("documents_processed_at_check", "23514"):
            upload(db, world.ann, processing_status=status, processed_at=time)


@pytest.mark.rule("TP-14", "refuses")
@pytest.mark.parametrize("error", [None, "", " \n", "\u200b"])
def test_a_failure_says_why(db: Person, world: World, error: str | None) -> None:
    document = upload_as(db, world, "processing")
    fail = "UPDATE documents SET processing_status = 'failed', error_message = %s WHERE id = %s"
    with db.as_service():
        with db.refused("documents_error_message_check", "23514"):
            db.run(fail, [error, document])
        db.run(fail, ["Broken", document])
        with db.refused("documents_error_message_check", "23514"):
            db.run("UPDATE documents SET error_message = %s", [error])


@pytest.mark.rule("TP-14", "refuses")
@pytest.mark.parametrize("value", ["pending", "processing", "completed"])
def test_what_has_not_failed_has_no_error(db: Person, world: World, value: str) -> None:
    upload_as(db, world, value)
    with db.as_service(), db.refused("documents_error_message_check", "23514"):
        db.run("UPDATE documents SET error_message = 'Broken'")


@pytest.mark.rule("TP-14", "accepts")
def test_trying_again_clears_the_error(db: Person, world: World) -> None:
    document = upload_as(db, world, "failed")
    with db.as_user(world.ann.id):
        db.run("UPDATE documents SET error_message = 'Broken at page 3' WHERE id = %s", [document])
        # Even if it is sent along.
        assert set_state(db, document, "pending", "Broken") == 1
        row = db.row("SELECT processing_status, error_message FROM documents WHERE id = %s", [document])
    assert row == ("pending", None)


# Chunks


@pytest.mark.rule("TP-15", "accepts")
@pytest.mark.parametrize(
    ("column", "value"),
    [
        *(("chunk_index", number) for number in (0, 1, 2**31 - 1)),
        *(("page_number", number) for number in (None, 1, 900)),
        *(("token_count", number) for number in (None, 0, 400)),
        ("content", "."),
        ("metadata", {"section_title": "Prices"}),
        ("embedding", None),
    ],
)
def test_a_proper_chunk_is_kept(db: Person, world: World, column: str, value: Any) -> None:
    sent = Jsonb(value) if isinstance(value, dict) else value
    with db.as_user(world.ann.id):
        chunk = cut(db, upload(db, world.ann), **{column: sent})
        changed = cut(db, upload(db, world.ann))
        assert db.run(f"UPDATE chunks SET {column} = %s WHERE id = %s", [sent, changed]) == 1
        for one in (chunk, changed):
            assert db.value(f"SELECT {column} FROM chunks WHERE id = %s", [one]) == value


@pytest.mark.rule("TP-15", "accepts")
def test_a_chunk_belongs_to_the_user_of_its_document(db: Person, world: World) -> None:
    with db.as_user(world.ann.id):
        for project in (None, world.ann.project):
            chunk = cut(db, upload(db, world.ann, project_id=project), created_at="2020-01-01Z")
            row = db.row("SELECT user_id, metadata, created_at = now() AS created FROM chunks WHERE id = %s", [chunk])
            assert row == (world.ann.id, {}, True)
    with db.as_service():
        chunk = cut(db, upload(db, world.bob), created_at="2020-01-01Z")
        row = db.row("SELECT user_id, created_at = '2020-01-01Z' AS created FROM chunks WHERE id = %s", [chunk])
        assert row == (world.bob.id, True)


@pytest.mark.rule("TP-15", "refuses")
@pytest.mark.parametrize(
    ("column", "value", "rule"),
    [
        ("chunk_index", -1, "chunk_index"),
        *(("page_number", number, "page_number") for number in (0, -1)),
        ("token_count", -1, "token_count"),
        *(("content", text, "content") for text in ("", " ", "\t\n", "\u00a0", "\u200b")),
        *(("embedding", value, "embedding") for value in (vector(0), vector(1e-30), vector(1e30))),
    ],
)
def test_an_improper_chunk_is_refused(db: Person, world: World, column: str, value: Any, rule: str) -> None:
    with db.as_user(world.ann.id):
        document = upload(db, world.ann)
        with db.refused(f"chunks_{rule}_check", "23514"):
            cut(db, document, **{column: value})
        cut(db, document)
        with db.refused(f"chunks_{rule}_check", "23514"):
            db.run(f"UPDATE chunks SET {column} = %s", [value])


@pytest.mark.rule("TP-15", "refuses")
@pytest.mark.parametrize("column", ["content", "chunk_index", "metadata", "created_at"])
def test_nothing_a_chunk_needs_is_null(db: Person, world: World, column: str) -> None:
    with db.as_service():
        document = upload(db, world.ann)
        with db.refused(sqlstate="23502") as caught:
            cut(db, document, **{column: None})
    assert caught.value.diag.column_name == column


@pytest.mark.rule("TP-15", "refuses")
def test_a_number_stands_once_in_a_document(db: Person, world: World) -> None:
    with db.as_user(world.ann.id):
        document, other = upload(db, world.ann), upload(db, world.ann)
        cut(db, document, 0)
        second = cut(db, document, 1)
        cut(db, other, 0)
        with db.refused("chunks_document_id_chunk_index_key", "23505"):
            cut(db, document, 0)
        with db.refused("chunks_document_id_chunk_index_key", "23505"):
            db.run("UPDATE chunks SET chunk_index = 0 WHERE id = %s", [second])


@pytest.mark.rule("TP-15", "refuses")
def test_anothers_document_looks_like_none_at_all(db: Person, world: World) -> None:
    bobs = upload(db, world.bob)
    messages = []
    with db.as_user(world.ann.id):
        own = upload(db, world.ann)
        for document in (bobs, uuid4()):
            with db.refused("chunks_document_id_fkey", "23503") as caught:
                cut(db, document)
            messages.append(str(caught.value).replace(str(document), "…"))
            with db.refused("chunks_document_id_fkey", "23503"):
                cut(db, document, user_id=world.ann.id)
            with db.refused("chunks_document_id_fkey", "23503"):
                cut(db, document, user_id=world.bob.id)
        with db.refused(sqlstate="42501"):
            cut(db, own, user_id=world.bob.id)
    with db.as_service(), db.refused("chunks_document_id_fkey", "23503"):
        cut(db, bobs, user_id=world.ann.id)
    assert messages[0] == messages[1]


@pytest.mark.rule("TP-15", "refuses")
def test_a_chunk_stays_where_it_is(db: Person, world: World) -> None:
    document, other = upload(db, world.ann), upload(db, world.ann)
    cut(db, document)
    for acting in (db.as_user(world.ann.id), db.as_service()):
        with acting:
            for column, value in (("document_id", other), ("user_id", world.bob.id), ("id", uuid4())):
                with db.refused("chunks_immutable_check", "23514"):
                    db.run(f"UPDATE chunks SET {column} = %s", [value])
            assert db.run("UPDATE chunks SET id = id, document_id = document_id, user_id = user_id") == 1
    with db.as_user(world.ann.id):
        db.run("UPDATE chunks SET created_at = '2020-01-01'")
        assert db.value("SELECT created_at = now() FROM chunks")


@pytest.mark.rule("TP-15", "accepts")
def test_with_a_document_go_its_chunks_but_not_what_was_learned_from_it(db: Person, world: World) -> None:
    document, other = upload(db, world.ann), upload(db, world.ann)
    for one in (document, other):
        cut(db, one)
    memory = remember(db, world.ann, source_type="document", source_ref=Jsonb({"document_id": str(document)}))
    with db.as_user(world.ann.id):
        assert db.run("DELETE FROM documents WHERE id = %s", [document]) == 1
        assert db.rows("SELECT document_id FROM chunks") == [(other,)]
        assert db.rows("SELECT id FROM memories") == [(memory,)]


# Statistics


@pytest.mark.rule("TP-15", "accepts")
@pytest.mark.parametrize("service", [False, True])
def test_a_document_comes_with_the_number_of_its_chunks_and_memories(db: Person, world: World, service: bool) -> None:
    path = f"{world.ann.id}/1/original.pdf"
    document = upload(
        db, world.ann, file_type="pdf", file_size=9, storage_path=path, page_count=2, word_count=3, filename="a.pdf"
    )
    other = upload(db, world.ann)
    for number in range(3):
        cut(db, document, number)
    cut(db, other)
    for source_type, source, columns in (
        ("document", document, {}),
        ("document", document, {"is_active": False}),
        ("document", other, {}),
        ("manual", document, {}),
    ):
        remember(db, world.ann, source_type=source_type, source_ref=Jsonb({"document_id": str(source)}), **columns)
    # Whatever another user says of it.
    remember(db, world.bob, source_type="document", source_ref=Jsonb({"document_id": str(document)}))
    with db.as_service() if service else db.as_user(world.ann.id):
        row = db.row("SELECT * FROM get_document_with_stats(%s)", [document])
        stored = db.row(f"SELECT {', '.join(row._fields[:-2])} FROM documents WHERE id = %s", [document])
    assert row == (*stored, 3, 1)
    assert row._fields == (
        *("id", "filename", "file_type", "file_size", "storage_path", "project_id", "user_id", "processing_status"),
        *("processed_at", "error_message", "page_count", "word_count", "created_at", "chunk_count", "memory_count"),
    )
    assert (row.id, row.user_id, row.storage_path) == (document, world.ann.id, path)


@pytest.mark.rule("TP-15", "refuses")
def test_the_statistics_of_anothers_document_look_like_those_of_none(db: Person, world: World) -> None:
    bobs = upload(db, world.bob)
    messages = []
    with db.as_user(world.ann.id):
        for document in (bobs, uuid4()):
            with db.refused("documents_pkey", "P0002") as caught:
                db.rows("SELECT * FROM get_document_with_stats(%s)", [document])
            messages.append(str(caught.value).replace(str(document), "…"))
    assert messages[0] == messages[1]
    with db.as_anon(), db.refused(sqlstate="42501"):
        db.rows("SELECT * FROM get_document_with_stats(%s)", [bobs])


# Many workers


@pytest.mark.rule("TP-16", "accepts")
def test_the_oldest_pending_documents_are_claimed_for_ten_minutes(db: Person, world: World) -> None:
    with db.as_service():
        young, old, oldest = (
            upload(db, user, created_at=f"2024-01-0{day}")
            for day, user in ((3, world.ann), (2, world.bob), (1, world.ann))
        )
        rows = db.rows(CLAIM, [2])
        assert [(row.id, row.processing_status) for row in rows] == [(oldest, "processing"), (old, "processing")]
        for row in rows:
            assert db.value(
                "SELECT %s BETWEEN now() + interval '10 minutes' AND clock_timestamp() + interval '10 minutes'",
                [row.claimed_until],
            )
        assert [row.id for row in db.rows(CLAIM, [2])] == [young]
        assert db.rows(CLAIM, [2]) == []


@pytest.mark.rule("TP-16", "accepts")
@pytest.mark.parametrize(("limit", "claimed"), [(0, 0), (-1, 0), (1, 1), (None, 10), (2**31 - 1, 12)])
def test_a_claim_takes_as_many_as_it_asks_for(db: Person, world: World, limit: int | None, claimed: int) -> None:
    for _ in range(12):
        upload(db, world.ann)
    with db.as_service():
        assert len(db.rows(CLAIM, [limit])) == claimed
        assert db.value("SELECT count(*) FROM documents WHERE processing_status = 'processing'") == claimed


@pytest.mark.rule("TP-16", "accepts")
def test_no_claim_takes_more_than_a_thousand(db: Person, world: World) -> None:
    db.run(
        "INSERT INTO documents (user_id, filename, file_type) SELECT %s, 'a.md', 'md' FROM generate_series(1, 1001)",
        [world.ann.id],
    )
    with db.as_service():
        assert len(db.rows(CLAIM, [2000])) == 1000


@pytest.mark.rule("TP-16", "accepts")
def test_without_a_limit_ten_are_claimed(db: Person, world: World) -> None:
    for _ in range(11):
        upload(db, world.ann)
    with db.as_service():
        assert len(db.rows("SELECT * FROM claim_pending_documents()")) == 10


@pytest.mark.rule("TP-16", "refuses")
@pytest.mark.parametrize("value", ["processing", "completed", "failed"])
def test_only_pending_documents_are_claimed(db: Person, world: World, value: str) -> None:
    upload_as(db, world, value)
    with db.as_service():
        assert db.rows(CLAIM, [10]) == []


@pytest.mark.rule("TP-16", "accepts")
def test_what_a_worker_does_not_finish_in_time_is_offered_again(db: Person, world: World) -> None:
    document = upload(db, world.ann)
    with db.as_service():
        assert len(db.rows(CLAIM, [1])) == 1
        db.run("UPDATE documents SET claimed_until = now()")
        assert db.rows(CLAIM, [1]) == []
        db.run("UPDATE documents SET claimed_until = now() - interval '1 microsecond'")
        assert [row.id for row in db.rows(CLAIM, [1])] == [document]
        assert db.value("SELECT claimed_until >= now() + interval '10 minutes' FROM documents")


@pytest.mark.rule("TP-16", "accepts")
def test_a_worker_that_comes_late_finishes_all_the_same(db: Person, world: World) -> None:
    document = upload(db, world.ann)
    with db.as_service():
        db.rows(CLAIM, [1])
        db.run("UPDATE documents SET claimed_until = now() - interval '1 hour'")
        assert set_state(db, document, "completed") == 1
        assert db.rows(CLAIM, [1]) == []
        assert db.value("SELECT claimed_until FROM documents") is None


@pytest.mark.rule("TP-16", "accepts")
def test_what_failed_and_is_to_be_tried_again_is_claimed_again(db: Person, world: World) -> None:
    document = upload(db, world.ann)
    with db.as_service():
        db.rows(CLAIM, [1])
        set_state(db, document, "failed", "Broken")
        assert db.rows(CLAIM, [1]) == []
        set_state(db, document, "pending")
        assert [row.id for row in db.rows(CLAIM, [1])] == [document]


@pytest.mark.rule("TP-16", "refuses")
def test_users_do_not_claim(db: Person, world: World) -> None:
    document = upload(db, world.ann)
    with db.as_user(world.ann.id), db.refused(sqlstate="42501"):
        db.rows(CLAIM, [1])
    with db.as_anon(), db.refused(sqlstate="42501"):
        db.rows(CLAIM, [1])
    assert state(db, document) == "pending"


def fill(owner: Person, world: World, count: int) -> set[UUID]:
    """Let Ann and Bob upload this many documents."""
    rows = owner.rows(
        "INSERT INTO documents (user_id, filename, file_type)"
        " SELECT CASE WHEN n %% 2 = 0 THEN %s ELSE %s END, 'a.md', 'md' FROM generate_series(1, %s) AS n RETURNING id",
        [world.ann.id, world.bob.id, count],
    )
    return {row.id for row in rows}


def work(worker: Person, barrier: Barrier) -> list[UUID]:
    """Claim and finish until nothing is offered any more."""
    claimed: list[UUID] = []
    with worker.as_service():
        barrier.wait()
        while batch := [row.id for row in worker.rows(CLAIM, [7])]:
            claimed += batch
            worker.run("UPDATE documents SET processing_status = 'completed' WHERE id = ANY (%s)", [batch])
    return claimed


def work_together(workers: list[Person]) -> list[UUID]:
    barrier = Barrier(len(workers), timeout=30)
    with ThreadPoolExecutor(len(workers)) as pool:
        return [one for claimed in pool.map(lambda worker: work(worker, barrier), workers) for one in claimed]


@pytest.mark.rule("TP-16", "accepts")
@pytest.mark.rule("TP-16", "refuses")
def test_twenty_workers_one_of_which_dies_process_each_document_once(connect: Callable[[], Person]) -> None:
    owner, in_the_act, after, workers = connect(), connect(), connect(), [connect() for _ in range(18)]
    due = fill(owner, build_world(owner), 300)
    # One dies before its claim is committed, one after it.
    in_the_act.run("SET ROLE service_role")
    in_the_act.run("BEGIN")
    held = {row.id for row in in_the_act.rows(CLAIM, [7])}
    with after.as_service():
        lost = {row.id for row in after.rows(CLAIM, [7])}
    assert len(held) == len(lost) == 7
    claimed = work_together(workers)
    assert sorted(claimed) == sorted(due - held - lost)
    for session in (in_the_act, after):
        assert owner.value("SELECT pg_terminate_backend(%s, 30000)", [session.conn.info.backend_pid]) is True
        session.conn.close()
    assert sorted(work_together(workers)) == sorted(held)
    owner.run("UPDATE documents SET claimed_until = now() - interval '1 second' WHERE processing_status = 'processing'")
    assert sorted(work_together(workers)) == sorted(lost)
    assert owner.rows("SELECT DISTINCT processing_status FROM documents") == [("completed",)]


@pytest.mark.rule("TP-16", "refuses")
def test_two_workers_take_over_different_leases(connect: Callable[[], Person]) -> None:
    one, two = connect(), connect()
    due = fill(one, build_world(one), 14)
    with one.as_service(), two.as_service():
        assert len(one.rows(CLAIM, [14])) == 14
        one.run("UPDATE documents SET claimed_until = now() - interval '1 second'")
        one.run("BEGIN")
        first, second = ({row.id for row in worker.rows(CLAIM, [7])} for worker in (one, two))
        one.run("COMMIT")
        assert len(first) == len(second) == 7
        assert first | second == due
        assert two.rows(CLAIM, [14]) == []


@pytest.mark.rule("TP-16", "refuses")
def test_a_document_that_is_just_deleted_is_passed_over(connect: Callable[[], Person]) -> None:
    user, worker = connect(), connect()
    world = build_world(user)
    fill(user, world, 2)
    with user.as_user(world.ann.id), worker.as_service():
        user.run("BEGIN")
        assert user.run("DELETE FROM documents") == 1
        assert [row.user_id for row in worker.rows(CLAIM, [10])] == [world.bob.id]
        user.run("COMMIT")
        assert worker.rows(CLAIM, [10]) == []


@pytest.mark.rule("TP-14", "refuses")
def test_of_two_workers_that_finish_the_first_counts(connect: Callable[[], Person]) -> None:
    one, two = connect(), connect()
    document = upload(one, build_world(one).ann)
    finish = "UPDATE documents SET processing_status = %s, error_message = %s WHERE id = %s"
    with one.as_service(), two.as_service():
        one.rows(CLAIM, [1])
        one.run("BEGIN")
        one.run(finish, ["completed", None, document])
        with blocked(two, one, finish, ["failed", "Broken", document]) as second:
            one.run("COMMIT")
        error: Any = second.exception()
        assert error.diag.constraint_name == TRANSITION
    assert state(one, document) == "completed"
