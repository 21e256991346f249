"""Othello's people, Ann and Bob, and short ways to what happens to them. Every test runs in each instance."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from tests.people import Person, insert

# What argon2 makes of some password.
PASSWORD_HASH = "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHRzYWx0$RdescudvJCsgt3ub+b4dWRWJTmaaJObG7Jq0CqVSpqI"


@dataclass(frozen=True)
class User:
    """A row of users: its id, and the id that tokens name."""

    id: int
    external_id: UUID

    def acting(self, db: Person) -> AbstractContextManager[Person]:
        """Act as this user for the length of a `with` block."""
        return db.as_user(self.external_id)


@dataclass(frozen=True)
class World:
    """Whom every test may count on."""

    ann: User
    bob: User


def sign_up(db: Person, name: str, **columns: Any) -> User:
    """Insert a user and return them."""
    columns = {"email": f"{name}@example.org", "password_hash": PASSWORD_HASH, **columns}
    names, marks = ", ".join(columns), ", ".join(f"%({column})s" for column in columns)
    row = db.row(f"INSERT INTO users ({names}) VALUES ({marks}) RETURNING id, external_id", columns)
    return User(row.id, row.external_id)


def build_world(db: Person) -> World:
    """Create the world as the owner."""
    return World(sign_up(db, "ann"), sign_up(db, "bob"))


def begin(db: Person, user: User, **columns: Any) -> int:
    """Create a conversation and return its id."""
    return insert(db, "conversations", user_id=user.id, **columns)


def say(db: Person, conversation: int, content: str = "Hello", role: str = "user", **columns: Any) -> int:
    """Add a message to a conversation and return its id."""
    return insert(db, "messages", conversation_id=conversation, role=role, content=content, **columns)


def propose(db: Person, user: User, **columns: Any) -> int:
    """Insert an activity (a suggestion, unless said otherwise) and return its id."""
    columns = {"agent_name": "FELLO", "activity_type": "suggestion", "title": "Go for a walk", **columns}
    return insert(db, "agent_activities", user_id=user.id, **columns)


def schedule(db: Person, user: User, **columns: Any) -> int:
    """Insert an intervention that is due (unless said otherwise) and return its id."""
    columns = {"category": "routine", "title": "Water", "message": "Drink some", **columns}
    columns.setdefault("scheduled_for", db.value("SELECT now() - interval '1 minute'"))
    return insert(db, "interventions", user_id=user.id, **columns)


def validate(db: Person, user: User, result: str = "blocked", **columns: Any) -> int:
    """Insert an ethical validation and return its id; name the message_id or agent_activity_id."""
    return insert(db, "ethical_validations", user_id=user.id, result=result, **columns)


def set_tier(db: Person, user: User, scope: str, tier: str) -> None:
    """Change the active tier of a user in a scope by UPDATE."""
    sql = "UPDATE consent_tiers SET tier_level = %s WHERE user_id = %s AND scope = %s AND is_active"
    assert db.run(sql, [tier, user.id, scope]) == 1
