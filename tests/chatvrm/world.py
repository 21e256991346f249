"""ChatVRM's people, Ann and Bob, each with a character: Ann's is published, Bob's is a draft."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from tests.people import Person, insert


@dataclass(frozen=True)
class User:
    """A row of users, the `sub` of its tokens, and a character of theirs."""

    id: UUID
    sub: str
    character: UUID


@dataclass(frozen=True)
class World:
    """Whom every test may count on."""

    ann: User
    bob: User


def sign_up(db: Person, name: str, **columns: Any) -> User:
    """Insert a user with a character."""
    sub = f"auth0|{name}"
    user = insert(db, "users", email=f"{name}@example.org", auth0_id=sub)
    return User(user, sub, create(db, user, slug=name, **columns))


def build_world(db: Person) -> World:
    """Create the world as the owner."""
    return World(sign_up(db, "ann", status="published"), sign_up(db, "bob"))


def create(db: Person, user: UUID, **columns: Any) -> UUID:
    """Insert a character and return its id."""
    return insert(
        db, "characters", **{"user_id": user, "name": "Luna", "slug": "luna", "system_prompt": "Be kind", **columns}
    )


def talk(db: Person, character: UUID, user: User | None, **columns: Any) -> UUID:
    """Insert a conversation, a visitor's where there is no user, and return its id."""
    who = {"user_id": user.id} if user else {"session_id": "visitor"}
    return insert(db, "conversations", character_id=character, **who, **columns)


def say(db: Person, conversation: UUID, content: str = "Hello", **columns: Any) -> UUID:
    """Insert a message and return its id."""
    return insert(db, "messages", **{"conversation_id": conversation, "role": "user", "content": content, **columns})


def collect(db: Person, user: User, **columns: Any) -> UUID:
    """Insert a knowledge base and return its id."""
    return insert(db, "knowledge_bases", **{"user_id": user.id, "name": "Facts", **columns})


def upload(db: Person, knowledge_base: UUID, **columns: Any) -> UUID:
    """Insert a document and return its id."""
    columns = {"knowledge_base_id": knowledge_base, "filename": "facts.md", "file_type": "md", **columns}
    return insert(db, "documents", **columns)


def cut(db: Person, document: UUID, chunk_index: int = 0, **columns: Any) -> UUID:
    """Insert a chunk of a document and return its id."""
    columns = {"document_id": document, "content": "A part", "chunk_index": chunk_index, **columns}
    return insert(db, "document_chunks", **columns)


def subscribe(db: Person, user: User, **columns: Any) -> UUID:
    """Insert a subscription and return its id."""
    columns = {"stripe_subscription_id": "sub_1", "status": "active", "tier": "pro", **columns}
    return insert(db, "subscriptions", user_id=user.id, **columns)


def past_talk(db: Person, character: UUID, user: User | None, ago: str = "7 months", messages: int = 2) -> UUID:
    """Insert, as the owner, a conversation of an hour that ended so long ago, with messages, and return its id."""
    began, ended = db.row("SELECT t - interval '1 hour', t FROM (SELECT now() - %s::interval) AS x (t)", [ago])
    conversation = talk(db, character, user, started_at=began)
    for number in range(messages):
        say(db, conversation, f"Message {number}", created_at=ended)
    db.run("UPDATE conversations SET status = 'ended', ended_at = %s WHERE id = %s", [ended, conversation])
    return conversation
