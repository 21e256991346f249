"""Aurum's people, Ann and Bob, each with a pillar, an area, a project and a task. Every test runs in each instance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from tests.people import Person, insert


@dataclass(frozen=True)
class User:
    """A row of auth.users and what is theirs."""

    id: UUID
    pillar: UUID
    area: UUID
    project: UUID
    task: UUID


@dataclass(frozen=True)
class World:
    """Whom every test may count on."""

    ann: User
    bob: User


def sign_up(db: Person, name: str) -> User:
    """Insert a user with a profile and one thing of each level."""
    user = db.value("INSERT INTO auth.users (email) VALUES (%s) RETURNING id", [f"{name}@{db.schema}.example"])
    insert(db, "user_profiles", id=user, username=name)
    pillar = insert(db, "pillars", user_id=user, name="Health")
    area = insert(db, "areas", user_id=user, name="Sport", pillar_id=pillar)
    project = insert(db, "projects", user_id=user, name="Marathon", area_id=area)
    task = insert(db, "tasks", user_id=user, name="Run", project_id=project)
    return User(user, pillar, area, project, task)


def build_world(db: Person) -> World:
    """Create the world as the owner."""
    return World(sign_up(db, "ann"), sign_up(db, "bob"))


def add_task(db: Person, user: User, name: str = "Stretch", **columns: Any) -> UUID:
    """Insert a task into a user's project and return its id."""
    return insert(db, "tasks", **{"user_id": user.id, "project_id": user.project, "name": name, **columns})


def write(db: Person, user: User, content: str = "A good day", **columns: Any) -> UUID:
    """Insert a journal entry and return its id."""
    return insert(db, "journal_entries", **{"user_id": user.id, "title": "Today", "content": content, **columns})


def find_out(db: Person, user: User, **columns: Any) -> UUID:
    """Insert an insight about all of a user's life, or about what `columns` say, and return its id."""
    return insert(
        db,
        "insights",
        **{
            "user_id": user.id,
            "entity_type": "global",
            "insight_type": "recommendation",
            "title": "Rest",
            "summary": "Rest more",
            "detailed_reasoning": "{}",
            "confidence_score": 0.5,
            **columns,
        },
    )


def spend(db: Person, user: User, **columns: Any) -> UUID:
    """Insert a time entry of an hour for a user's task and return its id."""
    return insert(
        db,
        "time_entries",
        **{
            "user_id": user.id,
            "entity_type": "task",
            "entity_id": user.task,
            "start_time": "2026-01-05 09:00+00",
            "end_time": "2026-01-05 10:00+00",
            **columns,
        },
    )


def say(db: Person, user: User, content: str = "Hello", **columns: Any) -> UUID:
    """Insert a message to the assistant and return its id."""
    return insert(
        db,
        "ai_conversation_memory",
        **{"user_id": user.id, "message_role": "user", "message_content": content, **columns},
    )


def reflect(db: Person, user: User, text: str = "It went well", **columns: Any) -> UUID:
    """Insert a reflection and return its id."""
    return insert(db, "daily_reflections", **{"user_id": user.id, "reflection_text": text, **columns})
