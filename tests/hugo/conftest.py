"""Hugo's people: Ann and Bob, an app and what it knows. Every test runs in each instance of the system."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from tests.conftest import INSTANCES
from tests.people import Params, Person


@pytest.fixture(params=INSTANCES["hugo"])
def schema(request: pytest.FixtureRequest) -> str:
    return request.param


@dataclass(frozen=True)
class World:
    """Ids of what every test may count on; `ann` and `bob` are users.id, their tokens name `oriva_user_id`."""

    ann: UUID
    bob: UUID
    app: UUID
    kb: UUID
    app_id: str = "coach"
    kb_id: str = "coach_kb"


def build_world(db: Person) -> World:
    """Create the world as the owner."""
    ann, bob = (
        db.value(
            "INSERT INTO users (oriva_user_id, email) VALUES (gen_random_uuid(), %s) RETURNING id",
            [f"{name}@example.org"],
        )
        for name in ("ann", "bob")
    )
    kb = db.value(
        "INSERT INTO knowledge_bases (kb_id, title, app_ids) VALUES ('coach_kb', 'Coaching', '{coach}') RETURNING id"
    )
    app = db.value(
        "INSERT INTO apps (app_id, display_name, domain, knowledge_base_ids)"
        " VALUES ('coach', 'Coach', 'career', '{coach_kb}') RETURNING id"
    )
    return World(ann, bob, app, kb)


@pytest.fixture
def world(db: Person) -> World:
    """Ann, Bob, an app and a knowledge base, in the transaction of `db`."""
    return build_world(db)


def insert(db: Person, table: str, **columns: Any) -> UUID:
    """Insert a row and return its id."""
    names, marks = ", ".join(columns), ", ".join(f"%({name})s" for name in columns)
    return db.value(f"INSERT INTO {table} ({names}) VALUES ({marks}) RETURNING id", columns)


def begin(db: Person, user: UUID, app: UUID, **columns: Any) -> UUID:
    """Create a conversation and return its id."""
    return insert(db, "conversations", **{"session_id": uuid4(), "user_id": user, "app_id": app, **columns})


def say(db: Person, conversation: UUID, content: str = "Hello", role: str = "user", **columns: Any) -> UUID:
    """Add a message to a conversation and return its id."""
    columns = {"conversation_id": conversation, "role": role, "content": content, **columns}
    if role == "assistant":
        columns.setdefault("tokens_used", 7)
    return insert(db, "messages", **columns)


def past_conversation(db: Person, user: UUID, app: UUID, closed: str, messages: int = 2) -> UUID:
    """Create a conversation with messages as the owner, closed an interval ago ("90 days"), and return its id."""
    end = db.value("SELECT now() - %s::interval", [closed])
    start = db.value("SELECT %s - interval '1 day'", [end])
    conversation = begin(db, user, app, created_at=start, last_message_at=start)
    for number in range(messages):
        say(db, conversation, f"Message {number}", created_at=start)
    db.run("UPDATE conversations SET closed_at = %s WHERE id = %s", [end, conversation])
    return conversation


@contextmanager
def blocked(waiting: Person, holding: Person, sql: str, params: Params = None) -> Iterator[Future[int]]:
    """Run a statement in a session that has to wait for another one, and yield while it waits.

    Before the block is left the other session must have let go; the statement's outcome is the future's.
    """
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(waiting.run, sql, params)
        pids = [waiting.conn.info.backend_pid, holding.conn.info.backend_pid]
        while not holding.value("SELECT %s = ANY (pg_blocking_pids(%s))", pids[::-1]):
            assert not future.done(), "it did not wait"
        try:
            yield future
            future.exception(timeout=30)
        finally:
            if not future.done():
                waiting.conn.cancel()


@pytest.fixture
def connect(own_database: str, schema: str) -> Iterator[Callable[[], Person]]:
    """Open sessions, each committing by itself, on a database of this test's own."""
    with ExitStack() as stack:

        def opened() -> Person:
            # What waits for ever is a failure, not a hanging test.
            conn = psycopg.connect(own_database, autocommit=True, options="-c statement_timeout=30s")
            return Person(stack.enter_context(conn), schema)

        yield opened
