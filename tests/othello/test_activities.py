"""Activities of agents: their states, the user's answer, what may be executed, and what waits for an answer."""

from __future__ import annotations

from contextlib import nullcontext
from itertools import product
from typing import Any

import pytest
from psycopg.types.json import Jsonb

from tests.othello.activities import CONSENT_CHECK, ETHICS_CHECK, STEP_CHECK, TIER_CHECK, archive, move, state
from tests.othello.world import World, begin, propose, say, schedule, set_tier, sign_up, validate
from tests.people import Person, insert

TIERS = ["passive", "suggestive", "active", "autonomous"]
STATES = ["proposed", "pending_consent", "approved", "rejected", "executed", "failed"]
STEPS = {
    ("proposed", "pending_consent"),
    ("proposed", "approved"),
    ("proposed", "rejected"),
    ("pending_consent", "approved"),
    ("pending_consent", "rejected"),
    ("approved", "executed"),
    ("approved", "failed"),
}
RESULT_CHECK = "agent_activities_result_check"


def answer(db: Person, activity: int | None, action: str | None = "approved", reason: str | None = None) -> Any:
    return db.row("SELECT * FROM respond_to_activity(%s, %s, %s)", [activity, action, reason])


def answers(db: Person) -> list[Any]:
    return db.rows("SELECT user_id, agent_activity_id, action, scope, reason, metadata FROM consent_logs ORDER BY id")


# States


@pytest.mark.rule("OTH-12", "accepts")
@pytest.mark.rule("OTH-12", "refuses")
@pytest.mark.parametrize(("start", "wanted"), list(product(STATES, STATES)))
def test_every_pair_of_states(db: Person, world: World, start: str, wanted: str) -> None:
    with db.as_service():
        activity = propose(db, world.ann, status=start)
        other = propose(db, world.ann, status=start)
        if start == wanted or (start, wanted) in STEPS:
            move(db, activity, wanted)
            assert state(db, activity) == wanted
        else:
            with db.refused(STEP_CHECK, "23514"):
                move(db, activity, wanted)
            assert state(db, activity) == start
        assert state(db, other) == start


@pytest.mark.rule("OTH-12", "refuses")
def test_a_refused_step_says_what_is_possible(db: Person, world: World) -> None:
    with db.as_service():
        activity = propose(db, world.ann)
        with db.refused(STEP_CHECK) as caught:
            move(db, activity, "executed")
    assert "pending_consent, approved, rejected" in caught.value.diag.message_hint


@pytest.mark.rule("OTH-12", "accepts")
def test_an_activity_begins_as_a_proposal(db: Person, world: World) -> None:
    with db.as_service():
        activity = propose(db, world.ann)
    row = db.row("SELECT status, consent_required, scope, executed_at, result FROM agent_activities")
    assert row == ("proposed", False, "global", None, None)
    assert db.value("SELECT id FROM agent_activities") == activity


@pytest.mark.rule("OTH-12", "refuses")
@pytest.mark.parametrize(
    "column",
    ["user_id", "agent_name", "activity_type", "status", "title", "consent_required", "created_at", "updated_at"],
)
def test_what_every_activity_has_cannot_be_null(db: Person, world: World, column: str) -> None:
    columns = {"user_id": world.ann.id, "agent_name": "FELLO", "activity_type": "analysis", "title": "Sleep"}
    with db.as_service(), db.refused(sqlstate="23502") as caught:
        insert(db, "agent_activities", **{**columns, column: None})
    assert caught.value.diag.column_name == column


@pytest.mark.rule("OTH-12", "refuses")
def test_an_activity_of_nobody_is_refused(db: Person, world: World) -> None:
    with db.as_service(), db.refused("agent_activities_user_id_fkey", "23503"):
        insert(db, "agent_activities", user_id=-1, agent_name="FELLO", activity_type="analysis", title="Sleep")


@pytest.mark.rule("OTH-12", "refuses")
@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO agent_activities (user_id, agent_name, activity_type, title)"
        " VALUES (%(user)s, 'Me', 'analysis', 'Mine')",
        "UPDATE agent_activities SET status = 'approved' WHERE id = %(id)s",
        "UPDATE agent_activities SET title = title WHERE id = %(id)s",
        "DELETE FROM agent_activities WHERE id = %(id)s",
    ],
)
def test_users_write_no_activities(db: Person, world: World, sql: str) -> None:
    activity = propose(db, world.ann)
    with world.ann.acting(db):
        assert state(db, activity) == "proposed"
        with db.refused(sqlstate="42501"):
            db.run(sql, {"user": world.ann.id, "id": activity})


# Consent


@pytest.mark.rule("OTH-13", "refuses")
def test_what_needs_consent_is_not_approved_without_it(db: Person, world: World) -> None:
    with db.as_service():
        activity = propose(db, world.ann, consent_required=True)
        with db.refused(CONSENT_CHECK, "23514"):
            move(db, activity, "approved")
        move(db, activity, "pending_consent")
        with db.refused(CONSENT_CHECK, "23514"):
            move(db, activity, "approved")
        move(db, activity, "rejected")


@pytest.mark.rule("OTH-13", "refuses")
def test_what_needs_consent_is_not_approved_as_a_proposal_even_with_an_answer(db: Person, world: World) -> None:
    with db.as_service():
        activity = propose(db, world.ann, consent_required=True)
        insert(db, "consent_logs", user_id=world.ann.id, agent_activity_id=activity, action="approved")
        with db.refused(CONSENT_CHECK):
            move(db, activity, "approved")
        move(db, activity, "pending_consent")
        move(db, activity, "approved")
    assert state(db, activity) == "approved"


@pytest.mark.rule("OTH-13", "accepts")
@pytest.mark.rule("OTH-13", "refuses")
@pytest.mark.parametrize(
    ("actions", "consents"),
    [
        (["approved"], True),
        (["denied"], False),
        (["deferred"], False),
        (["tier_changed"], False),
        (["denied", "approved"], True),
        (["deferred", "approved"], True),
        (["approved", "denied"], False),
        (["approved", "deferred"], False),
        (["approved", "tier_changed", "settings_updated"], True),
    ],
)
def test_the_latest_answer_counts(db: Person, world: World, actions: list[str], consents: bool) -> None:
    with db.as_service():
        activity = propose(db, world.ann, consent_required=True, status="pending_consent")
        for action in actions:
            insert(db, "consent_logs", user_id=world.ann.id, agent_activity_id=activity, action=action)
        if consents:
            move(db, activity, "approved")
        else:
            with db.refused(CONSENT_CHECK):
                move(db, activity, "approved")
    assert state(db, activity) == ("approved" if consents else "pending_consent")


@pytest.mark.rule("OTH-13", "refuses")
def test_the_answer_to_another_activity_does_not_count(db: Person, world: World) -> None:
    with db.as_service():
        first, second = (propose(db, world.ann, consent_required=True, status="pending_consent") for _ in range(2))
        answer(db, first)
        with db.refused(CONSENT_CHECK):
            move(db, second, "approved")


@pytest.mark.rule("OTH-13", "refuses")
def test_an_import_does_not_approve_what_needs_consent(db: Person, world: World) -> None:
    with db.as_service():
        with db.refused(CONSENT_CHECK, "23514"):
            propose(db, world.ann, consent_required=True, status="approved")
        for status in STATES:
            if status != "approved":
                propose(db, world.ann, consent_required=True, status=status)
        propose(db, world.ann, status="approved")


@pytest.mark.rule("OTH-13", "accepts")
def test_the_owner_restores_what_was_approved(db: Person, world: World) -> None:
    assert state(db, propose(db, world.ann, consent_required=True, status="approved")) == "approved"


@pytest.mark.rule("OTH-13", "accepts")
def test_an_approved_activity_is_changed_and_sent_back_by_upsert(db: Person, world: World) -> None:
    activity = propose(db, world.ann, consent_required=True, status="approved")
    with db.as_service():
        propose(db, world.ann)
        upsert = (
            "INSERT INTO agent_activities (id, user_id, agent_name, activity_type, status, title, consent_required)"
            " VALUES (%s, %s, 'FELLO', 'suggestion', 'approved', 'Run', TRUE)"
            " ON CONFLICT (id) DO UPDATE SET status = excluded.status, title = excluded.title"
        )
        assert db.run(upsert, [activity, world.ann.id]) == 1
        with db.refused(CONSENT_CHECK):
            db.run(upsert, [activity + 1000, world.ann.id])
    assert db.row("SELECT status, title FROM agent_activities WHERE id = %s", [activity]) == ("approved", "Run")


OUTCOMES = {"approved": "approved", "denied": "rejected", "deferred": "pending_consent"}


@pytest.mark.rule("OTH-13", "accepts")
@pytest.mark.parametrize("required", [True, False])
@pytest.mark.parametrize("start", ["proposed", "pending_consent"])
@pytest.mark.parametrize("action", OUTCOMES)
@pytest.mark.parametrize("who", ["user", "service"])
def test_an_answer_is_logged_and_moves_the_state(
    db: Person, world: World, who: str, action: str, start: str, required: bool
) -> None:
    activity = propose(db, world.ann, status=start, consent_required=required, payload=Jsonb({"scope": "health"}))
    other = propose(db, world.ann, status=start)
    with world.ann.acting(db) if who == "user" else db.as_service():
        returned = answer(db, activity, action, "Because")
    assert returned == db.row("SELECT * FROM agent_activities WHERE id = %s", [activity])
    assert (returned.id, returned.status) == (activity, OUTCOMES[action])
    by = None if who == "user" else {"recorded_by": "service_role"}
    assert answers(db) == [(world.ann.id, activity, action, "health", "Because", by)]
    assert state(db, other) == start


@pytest.mark.rule("OTH-13", "accepts")
def test_an_answer_needs_no_reason(db: Person, world: World) -> None:
    activity = propose(db, world.ann)
    with world.ann.acting(db):
        db.run("SELECT respond_to_activity(%s, 'approved')", [activity])
    assert answers(db) == [(world.ann.id, activity, "approved", "global", None, None)]


@pytest.mark.rule("OTH-13", "accepts")
def test_what_was_deferred_can_be_deferred_again_and_approved(db: Person, world: World) -> None:
    activity = propose(db, world.ann, consent_required=True)
    with world.ann.acting(db):
        states = [answer(db, activity, action).status for action in ("deferred", "deferred", "approved")]
    assert states == ["pending_consent", "pending_consent", "approved"]
    assert [row.action for row in answers(db)] == ["deferred", "deferred", "approved"]


@pytest.mark.rule("OTH-13", "refuses")
@pytest.mark.parametrize("start", ["approved", "rejected", "executed", "failed"])
@pytest.mark.parametrize("action", OUTCOMES)
def test_what_is_decided_takes_no_answer(db: Person, world: World, start: str, action: str) -> None:
    activity = propose(db, world.ann, status=start)
    with world.ann.acting(db), db.refused(STEP_CHECK, "23514"):
        answer(db, activity, action)
    with db.as_service(), db.refused(STEP_CHECK, "23514"):
        answer(db, activity, action)
    assert (state(db, activity), answers(db)) == (start, [])


@pytest.mark.rule("OTH-13", "refuses")
@pytest.mark.parametrize("action", ["tier_changed", "settings_updated", None])
def test_another_action_is_no_answer(db: Person, world: World, action: str | None) -> None:
    activity = propose(db, world.ann)
    with world.ann.acting(db), db.refused(sqlstate="22023"):
        answer(db, activity, action)
    assert (state(db, activity), answers(db)) == ("proposed", [])


@pytest.mark.rule("OTH-13", "refuses")
def test_nobody_answers_for_another(db: Person, world: World) -> None:
    activity = propose(db, world.ann)
    with world.bob.acting(db):
        messages = []
        for target in (activity, -1):
            with db.refused(sqlstate="P0002") as caught:
                answer(db, target)
            diag = caught.value.diag
            said = diag.message_primary.replace(str(target), "…")
            messages.append((said, diag.message_detail, diag.message_hint, diag.context))
        assert messages[0] == messages[1]
        with db.refused(sqlstate="P0002"):
            answer(db, None)
    with db.as_anon(), db.refused(sqlstate="42501"):
        answer(db, activity)
    assert (state(db, activity), answers(db)) == ("proposed", [])


@pytest.mark.rule("OTH-13", "refuses")
@pytest.mark.parametrize("change", ["is_active = FALSE", "deleted_at = now()"])
def test_who_is_not_active_answers_nothing(db: Person, world: World, change: str) -> None:
    activity = propose(db, world.ann)
    db.run(f"UPDATE users SET {change} WHERE id = %s", [world.ann.id])
    with world.ann.acting(db), db.refused(sqlstate="P0002"):
        answer(db, activity)


# Execution: the tier


@pytest.mark.rule("OTH-14", "accepts")
@pytest.mark.rule("OTH-14", "refuses")
@pytest.mark.parametrize("scope", ["global", "health"])
@pytest.mark.parametrize("required", [None, *TIERS])
@pytest.mark.parametrize("tier", TIERS)
def test_execution_needs_the_tier_of_the_scope(
    db: Person, world: World, scope: str, tier: str, required: str | None
) -> None:
    other = {"global": "health", "health": "global"}[scope]
    set_tier(db, world.ann, other, "passive" if tier == "autonomous" else "autonomous")
    set_tier(db, world.ann, scope, tier)
    payload = None if scope == "global" else Jsonb({"scope": scope})
    with db.as_service():
        activity = propose(db, world.ann, status="approved", consent_tier_required=required, payload=payload)
        if required is None or TIERS.index(tier) >= TIERS.index(required):
            move(db, activity, "executed")
        else:
            with db.refused(TIER_CHECK, "23514"):
                move(db, activity, "executed")
            assert state(db, activity) == "approved"
            move(db, activity, "failed")


@pytest.mark.rule("OTH-14", "accepts")
@pytest.mark.rule("OTH-14", "refuses")
def test_the_tier_of_that_moment_counts(db: Person, world: World) -> None:
    with db.as_service():
        activity = propose(db, world.ann, status="approved", consent_tier_required="active")
    with world.ann.acting(db):
        set_tier(db, world.ann, "global", "active")
        set_tier(db, world.ann, "global", "suggestive")
    with db.as_service(), db.refused(TIER_CHECK):
        move(db, activity, "executed")
    with world.ann.acting(db):
        set_tier(db, world.ann, "global", "active")
    with db.as_service():
        move(db, activity, "executed")
    assert state(db, activity) == "executed"


@pytest.mark.rule("OTH-14", "accepts")
@pytest.mark.rule("OTH-14", "refuses")
def test_without_a_tier_in_the_scope_global_counts(db: Person, world: World) -> None:
    set_tier(db, world.ann, "health", "autonomous")
    db.run("UPDATE consent_tiers SET is_active = FALSE WHERE user_id = %s AND scope = 'health'", [world.ann.id])
    with db.as_service():
        activity = propose(
            db, world.ann, status="approved", consent_tier_required="active", payload=Jsonb({"scope": "health"})
        )
        with db.refused(TIER_CHECK):
            move(db, activity, "executed")
        set_tier(db, world.ann, "global", "active")
        move(db, activity, "executed")


@pytest.mark.rule("OTH-14", "refuses")
@pytest.mark.parametrize("change", ["is_active = FALSE", "deleted_at = now()"])
@pytest.mark.parametrize("who", ["service", "owner"])
def test_nothing_is_executed_for_a_user_who_is_not_active(db: Person, world: World, change: str, who: str) -> None:
    activity = propose(db, world.ann, status="approved")
    other = propose(db, world.bob, status="approved")
    db.run(f"UPDATE users SET {change} WHERE id = %s", [world.ann.id])
    with db.as_service() if who == "service" else nullcontext():
        with db.refused(TIER_CHECK, "23514"):
            move(db, activity, "executed")
        move(db, other, "executed")
        move(db, activity, "failed")


@pytest.mark.rule("OTH-14", "accepts")
@pytest.mark.parametrize(
    ("payload", "scope"),
    [
        (None, "global"),
        ({}, "global"),
        ({"scope": None}, "global"),
        ({"scope": "finance"}, "finance"),
        ({"scope": "goal_coaching", "days": 3}, "goal_coaching"),
        ({"for": {"scope": "finance"}}, "global"),
        (["scope"], "global"),
    ],
)
def test_the_payload_names_the_scope(db: Person, world: World, payload: Any, scope: str) -> None:
    with db.as_service():
        propose(db, world.ann, payload=None if payload is None else Jsonb(payload))
    assert db.value("SELECT scope FROM agent_activities") == scope


@pytest.mark.rule("OTH-14", "refuses")
@pytest.mark.parametrize("scope", ["romance", "Health", "", " health", 7, ["health"], {"health": 1}, True])
def test_an_unknown_scope_is_refused_on_proposal(db: Person, world: World, scope: Any) -> None:
    with db.as_service(), db.refused("agent_activities_scope_fkey", "23503"):
        propose(db, world.ann, payload=Jsonb({"scope": scope}))


@pytest.mark.rule("OTH-14", "refuses")
def test_the_scope_is_written_by_nobody(db: Person, world: World) -> None:
    with db.as_service(), db.refused(sqlstate="428C9"):
        propose(db, world.ann, scope="health")


@pytest.mark.rule("OTH-14", "refuses")
@pytest.mark.parametrize("start", STATES)
@pytest.mark.parametrize("column", ["id", "user_id", "payload", "consent_required", "consent_tier_required"])
def test_what_was_proposed_does_not_change(db: Person, world: World, start: str, column: str) -> None:
    values = {
        "id": -1,
        "user_id": world.bob.id,
        "payload": Jsonb({"days": 4}),
        "consent_required": True,
        "consent_tier_required": None,
    }
    with db.as_service():
        activity = propose(
            db, world.ann, status=start, consent_tier_required="passive", payload=Jsonb({"days": 3, "scope": "health"})
        )
        with db.refused("agent_activities_immutable_check", "23514"):
            db.run(f"UPDATE agent_activities SET {column} = %s WHERE id = %s", [values[column], activity])
        sent_back = f"UPDATE agent_activities SET {column} = {column}, title = 'New' WHERE id = %s"
        assert db.run(sent_back, [activity]) == 1


# Execution: what came of it

LONG_AGO = "2020-01-01T00:00:00Z"


@pytest.mark.rule("OTH-14", "accepts")
def test_execution_sets_its_time_and_takes_the_result(db: Person, world: World) -> None:
    with db.as_service():
        activity = propose(db, world.ann, status="approved")
        move(db, activity, "executed", result=Jsonb({"ok": True}), executed_at=LONG_AGO)
    row = db.row("SELECT executed_at = now() AS now, result FROM agent_activities")
    assert row == (True, {"ok": True})


@pytest.mark.rule("OTH-14", "accepts")
def test_a_failure_has_a_result_and_no_time(db: Person, world: World) -> None:
    with db.as_service():
        activity = propose(db, world.ann, status="approved")
        move(db, activity, "failed", result=Jsonb({"error": "timeout"}), executed_at=LONG_AGO)
    assert db.row("SELECT executed_at, result FROM agent_activities") == (None, {"error": "timeout"})


@pytest.mark.rule("OTH-14", "refuses")
@pytest.mark.parametrize(("start", "wanted"), [*((s, s) for s in STATES), *sorted(STEPS)])
def test_a_result_is_stated_on_execution_only(db: Person, world: World, start: str, wanted: str) -> None:
    with db.as_service():
        activity = propose(db, world.ann, status=start)
        if wanted in ("executed", "failed") and start != wanted:
            move(db, activity, wanted, result=Jsonb(1))
        else:
            with db.refused(RESULT_CHECK, "23514"):
                move(db, activity, wanted, result=Jsonb(1))
            move(db, activity, wanted, result=None)
        for later in (Jsonb(2), Jsonb(None)):
            with db.refused(RESULT_CHECK, "23514"):
                move(db, activity, wanted, result=later)


@pytest.mark.rule("OTH-14", "accepts")
def test_an_executed_activity_can_be_sent_back_and_keeps_its_time(db: Person, world: World) -> None:
    with db.as_service():
        activity = propose(db, world.ann, status="executed", executed_at=LONG_AGO, result=Jsonb({"ok": True}))
        before = db.row("SELECT * FROM agent_activities")
        for time in (LONG_AGO, None, "2021-01-01Z"):
            move(db, activity, "executed", executed_at=time, result=Jsonb({"ok": True}))
            assert db.row("SELECT * FROM agent_activities").executed_at == before.executed_at
    assert before.executed_at == db.value("SELECT %s::timestamptz", [LONG_AGO])


@pytest.mark.rule("OTH-14", "refuses")
@pytest.mark.parametrize("status", STATES)
def test_an_import_states_time_and_result_where_they_belong(db: Person, world: World, status: str) -> None:
    with db.as_service():
        propose(db, world.ann, status=status, executed_at=LONG_AGO)
        assert db.value("SELECT executed_at IS NOT NULL FROM agent_activities") == (status == "executed")
        if status in ("executed", "failed"):
            propose(db, world.ann, status=status, result=Jsonb(1))
        else:
            with db.refused(RESULT_CHECK, "23514"):
                propose(db, world.ann, status=status, result=Jsonb(1))


@pytest.mark.rule("OTH-14", "accepts")
def test_an_import_without_a_time_was_executed_now(db: Person, world: World) -> None:
    with db.as_service():
        propose(db, world.ann, status="executed")
    assert db.value("SELECT executed_at = now() FROM agent_activities") is True


@pytest.mark.rule("OTH-14", "refuses")
def test_a_restore_without_triggers_states_a_time_where_it_was_executed(db: Person, world: World) -> None:
    db.run("SET LOCAL session_replication_role = replica")
    propose(db, world.ann, status="executed", executed_at=LONG_AGO)
    for status, time in (("executed", None), ("failed", LONG_AGO)):
        with db.refused("agent_activities_executed_at_check", "23514"):
            propose(db, world.ann, status=status, executed_at=time)


@pytest.mark.rule("OTH-14", "accepts")
def test_created_at_is_imported_and_kept(db: Person, world: World) -> None:
    with db.as_service():
        activity = propose(db, world.ann, created_at=LONG_AGO, updated_at=LONG_AGO)
        db.run("UPDATE agent_activities SET created_at = now(), description = 'x' WHERE id = %s", [activity])
    assert db.row("SELECT created_at = %s AS kept, updated_at = now() AS now FROM agent_activities", [LONG_AGO]) == (
        True,
        True,
    )


# Execution: ethics

B, E, F, P = "blocked", "escalated", "flagged", "passed"


@pytest.mark.rule("OTH-15", "accepts")
@pytest.mark.rule("OTH-15", "refuses")
@pytest.mark.parametrize(
    ("results", "objects"),
    [
        ([], False),
        *(([result], result in (B, E)) for result in (B, E, F, P)),
        *(([first, last], last in (B, E)) for first, last in product((B, E, F, P), (B, E, F, P))),
        ([f"{B} overridden"], False),
        ([f"{E} overridden"], False),
        ([f"{B} overridden", B], True),
        ([f"{B} overridden", E], True),
        ([f"{B} overridden", P], False),
        ([B, f"{B} overridden"], False),
    ],
)
def test_the_latest_validation_decides(db: Person, world: World, results: list[str], objects: bool) -> None:
    with db.as_service():
        activity, other = (propose(db, world.ann, status="approved") for _ in range(2))
        for result in results:
            overridden = result.endswith(" overridden")
            validate(
                db,
                world.ann,
                result.split()[0],
                agent_activity_id=activity,
                override_allowed=overridden,
                overridden_by_user=overridden,
                # What counts is the order of the ids, not a time that somebody states.
                created_at=db.value("SELECT now() - interval '1 day' * count(*) FROM ethical_validations"),
            )
        if objects:
            with db.refused(ETHICS_CHECK, "23514"):
                move(db, activity, "executed")
            assert state(db, activity) == "approved"
            move(db, activity, "failed")
        else:
            validate(db, world.ann, B, agent_activity_id=other)
            move(db, activity, "executed")


@pytest.mark.rule("OTH-15", "refuses")
@pytest.mark.parametrize("result", [B, E])
def test_an_objection_that_may_be_overridden_stands_until_it_is(db: Person, world: World, result: str) -> None:
    with db.as_service():
        activity = propose(db, world.ann, status="approved")
        objection = validate(db, world.ann, result, agent_activity_id=activity, override_allowed=True)
        with db.refused(ETHICS_CHECK):
            move(db, activity, "executed")
    with world.ann.acting(db):
        db.run("SELECT override_validation(%s, 'I know better')", [objection])
    with db.as_service():
        move(db, activity, "executed")
    assert state(db, activity) == "executed"


@pytest.mark.rule("OTH-15", "accepts")
@pytest.mark.rule("OTH-15", "refuses")
@pytest.mark.parametrize(
    ("results", "objects"),
    [
        ([f"{B} archived"], True),
        ([f"{P} archived"], False),
        ([B, f"{P} archived"], False),
        ([f"{B} archived", P], False),
        ([P, f"{E} archived"], True),
        ([f"{P} archived", B], True),
        ([f"{B} overridden archived"], False),
    ],
)
def test_a_validation_counts_when_its_message_is_archived(
    db: Person, world: World, results: list[str], objects: bool
) -> None:
    conversation = begin(db, world.ann)
    message = say(db, conversation, created_at="epoch", updated_at="epoch")
    activity = propose(db, world.ann, status="approved")
    for result in results:
        columns: dict[str, Any] = {"message_id": message} if "archived" in result else {}
        if "overridden" in result:
            columns |= {"override_allowed": True, "overridden_by_user": True}
        validate(db, world.ann, result.split()[0], agent_activity_id=activity, **columns)
    archive(db, conversation)
    assert db.value("SELECT count(*) FROM archived_ethical_validations") == 1
    with db.as_service():
        if objects:
            with db.refused(ETHICS_CHECK):
                move(db, activity, "executed")
        else:
            move(db, activity, "executed")


# What waits for an answer


@pytest.mark.rule("OTH-16", "accepts")
@pytest.mark.rule("OTH-16", "refuses")
@pytest.mark.parametrize("tier", TIERS)
def test_the_suggestions_that_the_present_tier_allows_are_pending(db: Person, world: World, tier: str) -> None:
    set_tier(db, world.ann, "health", tier)
    for required in [None, *TIERS]:
        for scope in ("health", "finance"):
            propose(
                db, world.ann, title=f"{scope} {required}", consent_tier_required=required,
                payload=Jsonb({"scope": scope}),
            )  # fmt: skip
    with world.ann.acting(db):
        found = {row.title for row in db.rows("SELECT title FROM pending_suggestions()")}
    allowed = [None, *TIERS[: TIERS.index(tier) + 1]]
    assert found == {f"health {required}" for required in allowed} | {"finance None", "finance passive"}


@pytest.mark.rule("OTH-16", "refuses")
def test_only_own_suggestions_without_a_decision_are_pending(db: Person, world: World) -> None:
    wanted = [propose(db, world.ann, status=status) for status in ("proposed", "pending_consent")]
    for status in ("approved", "rejected", "executed", "failed"):
        propose(db, world.ann, status=status)
    for kind in ("observation", "analysis", "intervention", "validation"):
        propose(db, world.ann, activity_type=kind)
    propose(db, world.bob)
    with world.ann.acting(db):
        assert [row.id for row in db.rows("SELECT id FROM pending_suggestions()")] == wanted[::-1]
    with db.as_service():
        assert db.rows("SELECT id FROM pending_suggestions()") == []
    with db.as_anon(), db.refused(sqlstate="42501"):
        db.run("SELECT pending_suggestions()")


@pytest.mark.rule("OTH-16", "accepts")
def test_the_newest_suggestions_come_first(db: Person, world: World) -> None:
    old, new, newer = (
        propose(db, world.ann, created_at=db.value("SELECT now() - %s::interval", [ago]))
        for ago in ("3 days", "1 day", "1 day")
    )
    middle = propose(db, world.ann, created_at=db.value("SELECT now() - interval '2 days'"))
    with world.ann.acting(db):
        assert [row.id for row in db.rows("SELECT id FROM pending_suggestions()")] == [newer, new, middle, old]
        assert db.rows("SELECT * FROM pending_suggestions(1)") == db.rows(
            "SELECT * FROM agent_activities WHERE id = %s", [newer]
        )


@pytest.mark.rule("OTH-16", "accepts")
@pytest.mark.parametrize(("limit", "count"), [(None, 20), (0, 0), (-1, 0), (1, 1), (21, 21), (100, 25)])
def test_the_limit_counts_what_is_shown(db: Person, world: World, limit: int | None, count: int) -> None:
    for number in range(50):
        propose(db, world.ann, consent_tier_required="active" if number % 2 else None)
    with world.ann.acting(db):
        assert db.value("SELECT count(*) FROM pending_suggestions(%s)", [limit]) == count
        assert db.value("SELECT count(*) FROM pending_suggestions()") == 20


@pytest.mark.rule("OTH-16", "accepts")
def test_raising_the_tier_brings_a_suggestion_up_and_answering_takes_it_away(db: Person, world: World) -> None:
    activity = propose(db, world.ann, consent_tier_required="suggestive")
    pending = "SELECT id FROM pending_suggestions()"
    with world.ann.acting(db):
        assert db.rows(pending) == []
        set_tier(db, world.ann, "global", "suggestive")
        assert db.rows(pending) == [(activity,)]
        answer(db, activity, "deferred")
        assert db.rows(pending) == [(activity,)]
        answer(db, activity, "denied")
        assert db.rows(pending) == []


# Of one user


@pytest.mark.rule("OTH-13", "refuses")
def test_an_intervention_of_another_is_not_attached(db: Person, world: World) -> None:
    carol = sign_up(db, "carol")
    activity = propose(db, world.ann)
    with db.as_service(), db.refused("interventions_agent_activity_id_fkey", "23503"):
        schedule(db, carol, agent_activity_id=activity)
