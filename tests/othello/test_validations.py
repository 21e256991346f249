"""Ethical validations: what they are about, their order, and how a user overrides one."""

from __future__ import annotations

from typing import Any

import pytest
from psycopg.types.json import Jsonb

from tests.othello.activities import ETHICS_CHECK, archive, move
from tests.othello.world import World, begin, propose, say, validate
from tests.people import Person, insert

RESULTS = ["passed", "flagged", "blocked", "escalated"]


def override(db: Person, validation: int | None, reason: str | None = "I know better") -> Any:
    return db.row("SELECT * FROM override_validation(%s, %s)", [validation, reason])


def message(db: Person, world: World) -> int:
    return say(db, begin(db, world.ann))


# What a validation is about


@pytest.mark.rule("OTH-20", "accepts")
@pytest.mark.parametrize("result", RESULTS)
def test_a_validation_is_about_a_message_an_activity_or_both(db: Person, world: World, result: str) -> None:
    said, activity = message(db, world), propose(db, world.ann)
    with db.as_service():
        validate(db, world.ann, result, message_id=said)
        validate(db, world.ann, result, agent_activity_id=activity)
        validate(db, world.ann, result, message_id=said, agent_activity_id=activity)
    rows = db.rows(
        "SELECT message_id, agent_activity_id, validator, result, override_allowed, overridden_by_user"
        " FROM ethical_validations ORDER BY id"
    )
    rest = ("Othello", result, False, False)
    assert rows == [(said, None, *rest), (None, activity, *rest), (said, activity, *rest)]


@pytest.mark.rule("OTH-20", "refuses")
def test_a_validation_of_nothing_is_refused(db: Person, world: World) -> None:
    with db.as_service(), db.refused("ethical_validations_subject_check", "23514"):
        validate(db, world.ann)


@pytest.mark.rule("OTH-20", "refuses")
def test_a_validation_is_of_the_same_user_as_what_it_is_about(db: Person, world: World) -> None:
    said, activity = message(db, world), propose(db, world.ann)
    theirs = propose(db, world.bob)
    with db.as_service():
        with db.refused("ethical_validations_message_id_fkey", "23503"):
            validate(db, world.bob, message_id=said)
        with db.refused("ethical_validations_agent_activity_id_fkey", "23503"):
            validate(db, world.bob, agent_activity_id=activity)
        with db.refused("ethical_validations_message_id_fkey", "23503"):
            validate(db, world.bob, message_id=said, agent_activity_id=theirs)
        with db.refused("ethical_validations_agent_activity_id_fkey", "23503"):
            validate(db, world.ann, message_id=said, agent_activity_id=theirs)


@pytest.mark.rule("OTH-20", "refuses")
def test_only_what_may_be_overridden_is_overridden(db: Person, world: World) -> None:
    activity = propose(db, world.ann)
    with db.as_service():
        with db.refused("ethical_validations_override_check", "23514"):
            validate(db, world.ann, agent_activity_id=activity, overridden_by_user=True)
        for overridden in (False, True):
            validate(
                db, world.ann, agent_activity_id=activity, override_allowed=True, overridden_by_user=overridden
            )  # fmt: skip
    assert db.value("SELECT count(*) FROM ethical_validations") == 2


@pytest.mark.rule("OTH-20", "refuses")
@pytest.mark.parametrize(
    "column", ["user_id", "validator", "result", "override_allowed", "overridden_by_user", "created_at"]
)
def test_what_every_validation_has_cannot_be_null(db: Person, world: World, column: str) -> None:
    columns = {"user_id": world.ann.id, "message_id": message(db, world), "result": "passed", column: None}
    with db.as_service(), db.refused(sqlstate="23502") as caught:
        insert(db, "ethical_validations", **columns)
    assert caught.value.diag.column_name == column


@pytest.mark.rule("OTH-20", "accepts")
def test_a_validation_goes_with_what_it_is_about_when_the_owner_deletes_it(db: Person, world: World) -> None:
    said, activity = message(db, world), propose(db, world.ann)
    validate(db, world.ann, message_id=said)
    validate(db, world.ann, agent_activity_id=activity)
    db.run("DELETE FROM messages WHERE id = %s", [said])
    assert db.rows("SELECT agent_activity_id FROM ethical_validations") == [(activity,)]
    db.run("DELETE FROM agent_activities WHERE id = %s", [activity])
    assert db.rows("SELECT id FROM ethical_validations") == []


# The order in which validations count


@pytest.mark.rule("OTH-20", "accepts")
@pytest.mark.parametrize("ahead", [1, 1000, 10**12])
def test_a_later_validation_of_an_activity_has_a_higher_id(db: Person, world: World, ahead: int) -> None:
    activity, other = propose(db, world.ann, status="approved"), propose(db, world.ann)
    with db.as_service():
        first = validate(db, world.ann, "passed", agent_activity_id=activity)
        imported = validate(db, world.ann, "passed", agent_activity_id=activity, id=first + ahead)
        assert imported == first + ahead
        earlier = validate(db, world.ann, "passed", agent_activity_id=other, id=first - 1)
        assert earlier == first - 1
        blocked = validate(db, world.ann, "blocked", agent_activity_id=activity, id=first - 2)
        assert blocked > imported
        with db.refused(ETHICS_CHECK):
            move(db, activity, "executed")
        # And whatever comes next still finds an id.
        for _ in range(2):
            blocked, before = validate(db, world.ann, "blocked", agent_activity_id=activity), blocked
            assert blocked > before


@pytest.mark.rule("OTH-20", "accepts")
def test_an_import_can_be_repeated(db: Person, world: World) -> None:
    activity = propose(db, world.ann)
    with db.as_service():
        for written in (2, 0):
            rows = db.run(
                "INSERT INTO ethical_validations (id, user_id, agent_activity_id, result)"
                " VALUES (-2, %(user)s, %(id)s, 'passed'), (-1, %(user)s, %(id)s, 'blocked') ON CONFLICT DO NOTHING",
                {"user": world.ann.id, "id": activity},
            )
            assert rows == written
        with db.refused("ethical_validations_pkey", "23505"):
            validate(db, world.ann, "passed", agent_activity_id=activity, id=-2)


@pytest.mark.rule("OTH-20", "accepts")
def test_an_archived_validation_is_not_outranked_by_an_older_id(db: Person, world: World) -> None:
    conversation = begin(db, world.ann)
    said = say(db, conversation, created_at="epoch", updated_at="epoch")
    activity = propose(db, world.ann, status="approved")
    archived = validate(db, world.ann, "passed", agent_activity_id=activity, message_id=said, id=10**12)
    archive(db, conversation)
    with db.as_service():
        assert validate(db, world.ann, "blocked", agent_activity_id=activity) > archived
        with db.refused(ETHICS_CHECK):
            move(db, activity, "executed")


@pytest.mark.rule("OTH-20", "accepts")
def test_rows_of_one_statement_count_in_their_order(db: Person, world: World) -> None:
    activity = propose(db, world.ann, status="approved")
    with db.as_service():
        db.run(
            "INSERT INTO ethical_validations (id, user_id, agent_activity_id, result)"
            " VALUES (-1, %(user)s, %(id)s, 'passed'), (-2, %(user)s, %(id)s, 'blocked')",
            {"user": world.ann.id, "id": activity},
        )
        with db.refused(ETHICS_CHECK):
            move(db, activity, "executed")
        assert db.value("SELECT min(id) FROM ethical_validations") == -1


# Overriding


@pytest.mark.rule("OTH-20", "accepts")
@pytest.mark.parametrize("result", ["flagged", "blocked", "escalated"])
@pytest.mark.parametrize("who", ["user", "service"])
@pytest.mark.parametrize("about", ["message", "activity", "both"])
def test_an_override_is_a_copy(db: Person, world: World, about: str, who: str, result: str) -> None:
    subject = {}
    if about != "activity":
        subject["message_id"] = message(db, world)
    if about != "message":
        subject["agent_activity_id"] = propose(db, world.ann)
    old = validate(
        db,
        world.ann,
        result,
        validator="Desdemona",
        rules_applied=["no harm"],
        concerns=["late"],
        reasoning="It is night",
        override_allowed=True,
        metadata=Jsonb({"version": 2}),
        created_at="2020-01-01Z",
        **subject,
    )
    before = db.row("SELECT * FROM ethical_validations")
    with world.ann.acting(db) if who == "user" else db.as_service():
        new = override(db, old, "I cannot sleep")
    assert db.rows("SELECT * FROM ethical_validations ORDER BY id") == [before, new]
    metadata = {"version": 2, "overrides": old, "override_reason": "I cannot sleep"}
    if who == "service":
        metadata["recorded_by"] = "service_role"
    assert new == before._replace(id=new.id, overridden_by_user=True, metadata=metadata, created_at=new.created_at)
    assert new.id > old
    assert new.created_at == db.value("SELECT now()")


@pytest.mark.rule("OTH-20", "accepts")
@pytest.mark.parametrize("metadata", [None, Jsonb(None), Jsonb([1]), Jsonb("x"), Jsonb({})])
def test_an_override_names_what_it_overrides_whatever_the_metadata(db: Person, world: World, metadata: Any) -> None:
    old = validate(db, world.ann, message_id=message(db, world), override_allowed=True, metadata=metadata)
    with world.ann.acting(db):
        assert override(db, old).metadata == {"overrides": old, "override_reason": "I know better"}


def refusals(db: Person, world: World) -> dict[str, tuple[int, str | None, str]]:
    """For each reason to refuse: a validation, what is said, the rule."""
    about = {"agent_activity_id": propose(db, world.ann)}

    def objection(**columns: Any) -> int:
        return validate(db, world.ann, **{"agent_activity_id": propose(db, world.ann), **columns})

    overtaken = objection(override_allowed=True, **about)
    objection(result="passed", **about)
    return {
        "not allowed": (objection(), "Yes", "override"),
        "passed": (objection(result="passed", override_allowed=True), "Yes", "override_result"),
        "done": (objection(override_allowed=True, overridden_by_user=True), "Yes", "override_result"),
        "no reason": (objection(override_allowed=True), None, "override_reason"),
        "empty reason": (objection(override_allowed=True), "", "override_reason"),
        "blank reason": (objection(override_allowed=True), " \t\n\u00a0", "override_reason"),
        "overtaken": (overtaken, "Yes", "override_latest"),
    }


@pytest.mark.rule("OTH-20", "refuses")
@pytest.mark.parametrize("who", ["user", "service"])
def test_every_reason_to_refuse_an_override(db: Person, world: World, who: str) -> None:
    cases = refusals(db, world)
    count = db.value("SELECT count(*) FROM ethical_validations")
    for validation, reason, rule in cases.values():
        acting = world.ann.acting(db) if who == "user" else db.as_service()
        with acting, db.refused(f"ethical_validations_{rule}_check", "23514"):
            override(db, validation, reason)
    assert db.value("SELECT count(*) FROM ethical_validations") == count


@pytest.mark.rule("OTH-20", "refuses")
def test_an_override_cannot_be_overridden_again(db: Person, world: World) -> None:
    old = validate(db, world.ann, agent_activity_id=propose(db, world.ann), override_allowed=True)
    with world.ann.acting(db):
        new = override(db, old)
        with db.refused("ethical_validations_override_latest_check"):
            override(db, old)
        with db.refused("ethical_validations_override_result_check"):
            override(db, new.id)


@pytest.mark.rule("OTH-20", "refuses")
@pytest.mark.parametrize("about", ["message", "activity", "both"])
@pytest.mark.parametrize("newer", ["message", "activity", "both"])
def test_a_newer_objection_cannot_be_outranked(db: Person, world: World, about: str, newer: str) -> None:
    said, activity = message(db, world), propose(db, world.ann, status="approved")
    subjects: dict[str, dict[str, int]] = {
        "message": {"message_id": said},
        "activity": {"agent_activity_id": activity},
        "both": {"message_id": said, "agent_activity_id": activity},
    }
    old = validate(db, world.ann, override_allowed=True, **subjects[about])
    validate(db, world.ann, **subjects[newer])
    with world.ann.acting(db):
        if {about, newer} == {"message", "activity"}:
            assert override(db, old).overridden_by_user is True
        else:
            with db.refused("ethical_validations_override_latest_check", "23514"):
                override(db, old)


@pytest.mark.rule("OTH-20", "refuses")
def test_a_newer_objection_that_is_archived_cannot_be_outranked(db: Person, world: World) -> None:
    conversation = begin(db, world.ann)
    said = say(db, conversation, created_at="epoch", updated_at="epoch")
    activity, other = (propose(db, world.ann, status="approved") for _ in range(2))
    old = validate(db, world.ann, agent_activity_id=activity, override_allowed=True)
    validate(db, world.ann, agent_activity_id=activity, message_id=said)
    free = validate(db, world.ann, agent_activity_id=other, override_allowed=True)
    archive(db, conversation)
    with world.ann.acting(db):
        with db.refused("ethical_validations_override_latest_check"):
            override(db, old)
        override(db, free)


@pytest.mark.rule("OTH-20", "accepts")
def test_the_validation_of_something_else_does_not_matter(db: Person, world: World) -> None:
    old = validate(db, world.ann, agent_activity_id=propose(db, world.ann), override_allowed=True)
    validate(db, world.ann, agent_activity_id=propose(db, world.ann))
    validate(db, world.ann, message_id=message(db, world))
    with world.ann.acting(db):
        assert override(db, old).overridden_by_user is True


@pytest.mark.rule("OTH-20", "refuses")
def test_nobody_overrides_for_another(db: Person, world: World) -> None:
    old = validate(db, world.ann, agent_activity_id=propose(db, world.ann), override_allowed=True)
    with world.bob.acting(db):
        messages = []
        for target in (old, -1):
            with db.refused(sqlstate="P0002") as caught:
                override(db, target)
            diag = caught.value.diag
            said = diag.message_primary.replace(str(target), "…")
            messages.append((said, diag.message_detail, diag.message_hint, diag.context))
        assert messages[0] == messages[1]
    with world.ann.acting(db), db.refused(sqlstate="P0002"):
        override(db, None)
    with db.as_anon(), db.refused(sqlstate="42501"):
        override(db, old)
    db.run("UPDATE users SET is_active = FALSE")
    with world.ann.acting(db), db.refused(sqlstate="P0002"):
        override(db, old)
    assert db.value("SELECT count(*) FROM ethical_validations") == 1
