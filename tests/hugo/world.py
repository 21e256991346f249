"""Hugo's people: Ann and Bob, an app and what it knows. Every test runs in each instance of the system."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from tests.people import Person, insert


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
