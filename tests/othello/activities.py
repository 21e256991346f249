"""Moving an activity from state to state, and the rules that are in the way."""

from __future__ import annotations

from typing import Any

from tests.people import Person

STEP_CHECK, CONSENT_CHECK = "agent_activities_status_transition_check", "agent_activities_consent_check"


TIER_CHECK, ETHICS_CHECK = "agent_activities_tier_check", "agent_activities_ethics_check"


def move(db: Person, activity: int, status: str, **columns: Any) -> None:
    columns["status"] = status
    settings = ", ".join(f"{name} = %({name})s" for name in columns)
    assert db.run(f"UPDATE agent_activities SET {settings} WHERE id = %(id)s", {**columns, "id": activity}) == 1


def state(db: Person, activity: int) -> str:
    return db.value("SELECT status FROM agent_activities WHERE id = %s", [activity])


def archive(db: Person, conversation: int) -> None:
    db.run("UPDATE conversations SET created_at = 'epoch' WHERE id = %s", [conversation])
    db.run("ALTER TABLE conversations DISABLE TRIGGER USER")
    db.run("UPDATE conversations SET updated_at = 'epoch' WHERE id = %s", [conversation])
    db.run("ALTER TABLE conversations ENABLE TRIGGER USER")
    assert db.value("SELECT archive_inactive_conversations()") == 1
