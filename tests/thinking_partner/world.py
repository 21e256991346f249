"""Thinking Partner's people, Ann and Bob, each with a workspace and a project. Every test runs in each instance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from tests.people import Person, insert


@dataclass(frozen=True)
class User:
    """A row of auth.users and what is theirs."""

    id: UUID
    workspace: UUID
    project: UUID


@dataclass(frozen=True)
class World:
    """Whom every test may count on."""

    ann: User
    bob: User


def sign_up(db: Person, name: str) -> User:
    """Insert a user with a workspace and a project."""
    user = db.value("INSERT INTO auth.users (email) VALUES (%s) RETURNING id", [f"{name}@{db.schema}.example"])
    workspace = insert(db, "workspaces", name=f"{name}'s", owner_id=user)
    return User(user, workspace, insert(db, "projects", name="Launch", workspace_id=workspace))


def build_world(db: Person) -> World:
    """Create the world as the owner."""
    return World(sign_up(db, "ann"), sign_up(db, "bob"))


def remember(db: Person, user: User, content: str = "Likes tea", **columns: Any) -> UUID:
    """Insert a memory and return its id."""
    return insert(db, "memories", user_id=user.id, content=content, **columns)


def open_session(db: Person, user: User, **columns: Any) -> UUID:
    """Insert a chat session and return its id."""
    return insert(db, "chat_sessions", user_id=user.id, **columns)


def upload(db: Person, user: User, **columns: Any) -> UUID:
    """Insert a document and return its id."""
    return insert(db, "documents", **{"user_id": user.id, "filename": "notes.md", "file_type": "md", **columns})


def cut(db: Person, document: UUID, chunk_index: int = 0, **columns: Any) -> UUID:
    """Insert a chunk of a document and return its id."""
    return insert(db, "chunks", **{"document_id": document, "content": "A part", "chunk_index": chunk_index, **columns})


def order(db: Person, user: User, **columns: Any) -> UUID:
    """Insert a ticket in a user's project and return its id."""
    columns = {"task": "Compare prices", "agent_type": "research", "project_id": user.project, **columns}
    return insert(db, "work_tickets", **columns)


def schedule(db: Person, user: User, **columns: Any) -> UUID:
    """Insert a message that is due (unless said otherwise) and return its id."""
    columns = {
        "message_type": "digest",
        "recipient_email": "ann@example.org",
        "workspace_id": user.workspace,
        **columns,
    }
    columns.setdefault("scheduled_for", db.value("SELECT now() - interval '1 minute'"))
    return insert(db, "scheduled_messages", **columns)
