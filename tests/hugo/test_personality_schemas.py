"""Personality schemas: layers, versions, what a schema holds, and the way from draft to archive."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.hugo.world import World
from tests.people import Person, blocked, insert

STATES = ("draft", "testing", "active", "archived")
STEPS = {("draft", "testing"), ("testing", "active"), ("active", "archived")}

GOOD: dict[str, Any] = {
    "tone": "warm",
    "focus": ["empathy"],
    "constraints": ["no_medical_advice"],
    "examples": [{"situation": "Fear of rejection", "response": "That fear makes sense."}],
}


def define(db: Person, *, status: str = "draft", rollout: int = 0, **columns: Any) -> UUID:
    """Create a personality schema, take it to a state by the allowed steps and return its id."""
    columns = {
        "schema_id": "core",
        "version": "1.0.0",
        "layer": "base",
        "schema": GOOD,
        "created_by": "tests",
        **columns,
    }
    columns["schema"] = json.dumps(columns["schema"])
    schema = insert(db, "personality_schemas", **columns)
    for step in STATES[1 : STATES.index(status) + 1]:
        db.run("UPDATE personality_schemas SET status = %s WHERE id = %s", [step, schema])
        if step == "active":
            roll_out(db, schema, rollout)
    return schema


def roll_out(db: Person, schema: UUID, percentage: int | None) -> int:
    """Set the rollout percentage and return what is stored."""
    return db.value(
        "UPDATE personality_schemas SET rollout_percentage = %s WHERE id = %s RETURNING rollout_percentage",
        [percentage, schema],
    )


def without(key: str) -> dict[str, Any]:
    return {name: value for name, value in GOOD.items() if name != key}


def state(db: Person, schema: UUID) -> tuple[str, int]:
    return tuple(db.row("SELECT status, rollout_percentage FROM personality_schemas WHERE id = %s", [schema]))


# Layers


@pytest.mark.rule("HUGO-23", "accepts")
def test_a_base_stands_alone_and_an_overlay_refines_it(db: Person) -> None:
    with db.as_service():
        base = define(db)
        overlay = define(db, schema_id="matchmaker", layer="overlay", parent_schema_id=base)
        found = db.row("SELECT layer, parent_schema_id FROM personality_schemas WHERE id = %s", [overlay])
    assert found == ("overlay", base)


@pytest.mark.rule("HUGO-23", "refuses")
@pytest.mark.parametrize(
    ("layer", "parent", "rule"),
    [
        ("middle", None, "ps_layer_check"),
        ("Base", None, "ps_layer_check"),
        ("overlay", None, "ps_parent_check"),
        ("base", "base", "ps_parent_check"),
        ("overlay", "overlay", "personality_schemas_parent_schema_id_fkey"),
        ("overlay", "itself", "personality_schemas_parent_schema_id_fkey"),
        ("overlay", "nobody", "personality_schemas_parent_schema_id_fkey"),
    ],
)
def test_a_parent_that_does_not_fit_is_refused(db: Person, layer: str, parent: str | None, rule: str) -> None:
    base = define(db)
    parents = {
        None: None,
        "base": base,
        "overlay": define(db, layer="overlay", parent_schema_id=base),
        "nobody": uuid4(),
        "itself": (own := uuid4()),
    }
    with db.as_service(), db.refused(rule):
        define(db, id=own, layer=layer, parent_schema_id=parents[parent])


@pytest.mark.rule("HUGO-23", "refuses")
@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ("UPDATE personality_schemas SET layer = 'overlay' WHERE id = %(base)s", "ps_parent_check"),
        (
            "UPDATE personality_schemas SET layer = 'overlay', parent_schema_id = %(other)s WHERE id = %(base)s",
            "personality_schemas_parent_schema_id_fkey",
        ),
        ("UPDATE personality_schemas SET parent_schema_id = NULL WHERE id = %(overlay)s", "ps_parent_check"),
        ("UPDATE personality_schemas SET layer = 'base' WHERE id = %(overlay)s", "ps_parent_check"),
        ("DELETE FROM personality_schemas WHERE id = %(base)s", "personality_schemas_parent_schema_id_fkey"),
    ],
)
def test_a_base_with_overlays_stays_a_base(db: Person, change: str, rule: str) -> None:
    base, other = define(db), define(db, schema_id="other")
    overlay = define(db, layer="overlay", parent_schema_id=base)
    with db.as_service(), db.refused(rule):
        db.run(change, {"base": base, "other": other, "overlay": overlay})


# Version, status and rollout


@pytest.mark.rule("HUGO-24", "accepts")
@pytest.mark.parametrize("version", ["0.0.0", "1.2.3", "10.20.30", "1.0.0-rc.1", "1.0.0-alpha+build.5"])
def test_a_semantic_version_is_accepted(db: Person, version: str) -> None:
    with db.as_service():
        assert db.rows("SELECT version FROM personality_schemas WHERE id = %s", [define(db, version=version)]) == [
            (version,)
        ]


@pytest.mark.rule("HUGO-24", "refuses")
@pytest.mark.parametrize("version", ["", "1", "1.0", "1.0.0.0", "v1.0.0", "01.0.0", "1.0.0-", " 1.0.0", "1.0.0\n"])
def test_another_version_is_refused(db: Person, version: str) -> None:
    with db.as_service(), db.refused("ps_version_check"):
        define(db, version=version)


@pytest.mark.rule("HUGO-24", "accepts")
@pytest.mark.parametrize("percentage", [0, 1, 99, 100])
def test_an_active_schema_is_rolled_out_to_a_share(db: Person, percentage: int) -> None:
    schema = define(db, status="active")
    with db.as_service():
        assert roll_out(db, schema, percentage) == percentage


@pytest.mark.rule("HUGO-24", "refuses")
@pytest.mark.parametrize("percentage", [-1, 101, -2147483648, 2147483647])
def test_a_share_beyond_0_to_100_is_refused(db: Person, percentage: int) -> None:
    schema = define(db, status="active")
    with db.as_service(), db.refused("ps_rollout_check"):
        roll_out(db, schema, percentage)


@pytest.mark.rule("HUGO-24", "refuses")
@pytest.mark.parametrize("status", ["draft", "testing"])
def test_what_is_not_active_is_not_rolled_out(db: Person, status: str) -> None:
    schema = define(db, status=status)
    with db.as_service(), db.refused("ps_rollout_active_check"):
        roll_out(db, schema, 1)
    with db.as_service(), db.refused("ps_rollout_active_check"):
        define(db, rollout_percentage=1)


@pytest.mark.rule("HUGO-24", "accepts")
def test_an_archived_schema_keeps_its_last_share(db: Person) -> None:
    schema = define(db, status="archived", rollout=40)
    with db.as_service():
        assert roll_out(db, schema, 40) == 40
    assert state(db, schema) == ("archived", 40)


@pytest.mark.rule("HUGO-24", "refuses")
@pytest.mark.parametrize("percentage", [0, 39, 100])
def test_the_share_of_an_archived_schema_cannot_change(db: Person, percentage: int) -> None:
    schema = define(db, status="archived", rollout=40)
    with db.as_service(), db.refused("ps_rollout_active_check"):
        roll_out(db, schema, percentage)


@pytest.mark.rule("HUGO-24", "refuses")
@pytest.mark.parametrize("column", ["schema_id", "version", "layer", "schema", "rollout_percentage", "created_by"])
def test_a_null_is_refused(db: Person, column: str) -> None:
    schema = define(db, status="active")
    with db.as_service(), db.refused(sqlstate="23502"):
        db.run(f"UPDATE personality_schemas SET {column} = NULL WHERE id = %s", [schema])


@pytest.mark.rule("HUGO-24", "refuses")
@pytest.mark.parametrize("status", ["", "Draft", "deleted"])
def test_an_unknown_status_is_refused_even_without_the_state_machine(db: Person, status: str) -> None:
    schema = define(db)
    with db.as_service(), db.refused("ps_status_transition_check"):
        db.run("UPDATE personality_schemas SET status = %s WHERE id = %s", [status, schema])
    db.run("ALTER TABLE personality_schemas DISABLE TRIGGER USER")
    with db.refused("ps_status_check"):
        db.run("UPDATE personality_schemas SET status = %s WHERE id = %s", [status, schema])


# The definition


@pytest.mark.rule("HUGO-25", "accepts")
@pytest.mark.parametrize(
    "keys",
    [
        *({"tone": tone} for tone in ("warm", "collaborative", "professional", "casual")),
        {"focus": ["a", "b", "a"]},
        {"constraints": []},
        {"examples": []},
        {"examples": [{"situation": "", "response": "", "note": "more"}, {"situation": "s", "response": "r"}]},
        {"voice_characteristics": {}},
        {"voice_characteristics": {"formality": 0, "empathy": 1, "directness": 0.7}},
        {"signature": "Yours, Hugo", "tones": [1, None]},
    ],
    ids=json.dumps,
)
def test_a_complete_definition_is_accepted(db: Person, keys: dict[str, Any]) -> None:
    with db.as_service():
        schema = define(db, schema=GOOD | keys)
        assert db.value("SELECT schema FROM personality_schemas WHERE id = %s", [schema]) == GOOD | keys


@pytest.mark.rule("HUGO-25", "refuses")
@pytest.mark.parametrize("key", ["tone", "focus", "constraints", "examples"])
def test_the_error_names_the_missing_key(db: Person, key: str) -> None:
    with db.as_service():
        for definition in (without(key), GOOD | {key: None}, without(key) | {key.upper(): GOOD[key]}):
            with db.refused(f"ps_schema_{key}_check"):
                define(db, schema=definition)


@pytest.mark.rule("HUGO-25", "refuses")
@pytest.mark.parametrize("definition", [None, [], [GOOD], "tone", 1, True], ids=json.dumps)
def test_a_definition_that_is_no_object_is_refused(db: Person, definition: Any) -> None:
    with db.as_service(), db.refused("ps_schema_check"):
        define(db, schema=definition)


@pytest.mark.rule("HUGO-25", "refuses")
@pytest.mark.parametrize(
    ("key", "value"),
    [
        *(("tone", value) for value in ("", "Warm", "warm ", "cold", 1, True, ["warm"], {"tone": "warm"})),
        *(("focus", value) for value in ([], "empathy", {}, {"a": "b"}, 7)),
        *(("focus", [value]) for value in ("", " ", "\t\n", "\u00a0", "\u200b\u3000", 1, None, ["empathy"], {})),
        ("focus", ["empathy", " "]),
        *(("constraints", value) for value in ("none", {}, 0, [1], [None], ["a", 1], [["a"]])),
        *(("examples", value) for value in ("none", {}, {"situation": "s", "response": "r"}, 0)),
        *(
            ("examples", [value])
            for value in (
                "s",
                None,
                {},
                {"situation": "s"},
                {"response": "r"},
                {"situation": "s", "response": None},
                {"situation": 1, "response": "r"},
                {"situation": ["s"], "response": "r"},
                [{"situation": "s", "response": "r"}],
            )
        ),
        ("examples", [{"situation": "s", "response": "r"}, {"situation": "s"}]),
        *(("voice_characteristics", value) for value in (None, [], "high", 0.5)),
        *(("voice_characteristics", {"empathy": value}) for value in (-0.01, 1.01, "0.5", None, True, [0.5], {})),
    ],
    ids=json.dumps,
)
def test_the_error_names_the_key_at_fault(db: Person, key: str, value: Any) -> None:
    with db.as_service(), db.refused(f"ps_schema_{key}_check"):
        define(db, schema=GOOD | {key: value})


@pytest.mark.rule("HUGO-25", "refuses")
def test_a_definition_cannot_be_broken_later(db: Person) -> None:
    schema = define(db)
    with db.as_service(), db.refused("ps_schema_tone_check"):
        db.run("UPDATE personality_schemas SET schema = schema - 'tone' WHERE id = %s", [schema])


# From draft to archive


@pytest.mark.rule("HUGO-26", "accepts")
@pytest.mark.rule("HUGO-26", "refuses")
@pytest.mark.parametrize("to", STATES)
@pytest.mark.parametrize("start", STATES)
def test_the_status_takes_only_the_allowed_steps(db: Person, start: str, to: str) -> None:
    schema = define(db, status=start)
    change = "UPDATE personality_schemas SET status = %s WHERE id = %s"
    with db.as_service():
        if start == to or (start, to) in STEPS:
            db.run(change, [to, schema])
            assert state(db, schema) == (to, 0)
        else:
            with db.refused("ps_status_transition_check", "23514"):
                db.run(change, [to, schema])


@pytest.mark.rule("HUGO-26", "refuses")
@pytest.mark.parametrize("status", STATES[1:])
def test_nothing_but_a_draft_is_created(db: Person, status: str) -> None:
    with db.as_service(), db.refused("ps_status_transition_check"):
        insert(
            db,
            "personality_schemas",
            schema_id="core",
            version="1.0.0",
            layer="base",
            schema=json.dumps(GOOD),
            status=status,
            created_by="tests",
        )


@pytest.mark.rule("HUGO-26", "accepts")
def test_the_database_sets_the_times(db: Person) -> None:
    times = "SELECT activated_at = now() AS active, archived_at = now() AS past FROM personality_schemas WHERE id = %s"
    with db.as_service():
        schema = define(db)
        found = [db.row(times, [schema])]
        for step in STATES[1:]:
            db.run("UPDATE personality_schemas SET status = %s WHERE id = %s", [step, schema])
            found.append(db.row(times, [schema]))
    assert found == [(None, None), (None, None), (True, None), (True, True)]


@pytest.mark.rule("HUGO-26", "refuses")
@pytest.mark.parametrize("status", STATES)
def test_a_time_that_a_client_sends_is_passed_over(db: Person, status: str) -> None:
    with db.as_service():
        schema = define(db, status=status, activated_at="2001-01-01", archived_at="2001-01-01")
        before = db.row("SELECT activated_at, archived_at FROM personality_schemas WHERE id = %s", [schema])
        db.run("UPDATE personality_schemas SET activated_at = '2001-01-01', archived_at = NULL WHERE id = %s", [schema])
        after = db.row("SELECT activated_at, archived_at FROM personality_schemas WHERE id = %s", [schema])
        assert after == before
        now = db.value("SELECT now()")
    assert before == (now if status in STATES[2:] else None, now if status == "archived" else None)


@pytest.mark.rule("HUGO-26", "refuses")
def test_users_read_what_is_active_and_write_nothing(db: Person, world: World) -> None:
    schema = define(db, status="active", rollout=100)
    for status in ("draft", "testing", "archived"):
        define(db, status=status)
    with db.as_user(world.ann):
        assert db.value("SELECT id FROM personality_schemas") == schema
        for sql in (
            "UPDATE personality_schemas SET status = 'archived'",
            "DELETE FROM personality_schemas",
            "SELECT promote_personality_schema(NULL)",
        ):
            with db.refused(sqlstate="42501"):
                db.run(sql)
    assert state(db, schema) == ("active", 100)


# One at 100


@pytest.mark.rule("HUGO-27", "accepts")
def test_the_share_moves_both_ways(db: Person) -> None:
    schema = define(db, status="active")
    with db.as_service():
        assert [roll_out(db, schema, share) for share in (10, 100, 99, 0, 100)] == [10, 100, 99, 0, 100]


@pytest.mark.rule("HUGO-27", "accepts")
def test_drafts_and_canaries_of_one_version_live_side_by_side(db: Person) -> None:
    with db.as_service():
        define(db), define(db), define(db, status="active", rollout=99), define(db, status="active", rollout=99)
        define(db, status="active", rollout=100), define(db, schema_id="other", status="active", rollout=100)
        define(db, version="0.9.0", status="archived", rollout=20)
        assert db.value("SELECT count(*) FROM personality_schemas WHERE rollout_percentage = 100") == 2


@pytest.mark.rule("HUGO-27", "refuses")
def test_a_second_version_at_100_is_refused(db: Person) -> None:
    define(db, status="active", rollout=100)
    canary = define(db, version="1.1.0", status="active", rollout=99)
    with db.as_service(), db.refused("ps_unique_active_schema"):
        roll_out(db, canary, 100)


@pytest.mark.rule("HUGO-27", "accepts")
@pytest.mark.parametrize(("status", "rollout"), [("testing", 0), ("active", 0), ("active", 30), ("active", 100)])
def test_promotion_takes_the_place_of_the_one_at_100(db: Person, world: World, status: str, rollout: int) -> None:
    bystander = define(db, schema_id="other", status="active", rollout=100)
    canary = define(db, version="1.2.0", status="active", rollout=5)
    new = define(db, version="1.1.0", status=status, rollout=rollout)
    if rollout < 100:
        old = define(db, status="active", rollout=100)
        db.run("UPDATE apps SET personality_schema_id = %s", [old])
    with db.as_service():
        promoted = db.row("SELECT * FROM promote_personality_schema(%s)", [new])
    assert (promoted.id, promoted.status, promoted.rollout_percentage) == (new, "active", 100)
    assert promoted.activated_at is not None
    assert state(db, bystander) == ("active", 100)
    assert state(db, canary) == ("active", 5)
    if rollout < 100:
        assert state(db, old) == ("archived", 100)
        assert db.value("SELECT personality_schema_id FROM apps") == new


@pytest.mark.rule("HUGO-27", "accepts")
def test_the_first_promotion_replaces_nothing_and_a_second_call_changes_nothing(db: Person, world: World) -> None:
    new = define(db, status="testing")
    with db.as_service():
        for _ in range(2):
            db.run("SELECT promote_personality_schema(%s)", [new])
            assert state(db, new) == ("active", 100)
    assert db.value("SELECT personality_schema_id FROM apps") is None


@pytest.mark.rule("HUGO-27", "refuses")
@pytest.mark.parametrize("status", ["draft", "archived"])
def test_what_cannot_become_active_is_not_promoted_and_replaces_nothing(db: Person, status: str) -> None:
    old = define(db, status="active", rollout=100)
    new = define(db, version="1.1.0", status=status)
    with db.as_service(), db.refused("ps_status_transition_check"):
        db.run("SELECT promote_personality_schema(%s)", [new])
    assert state(db, old) == ("active", 100)


@pytest.mark.rule("HUGO-27", "refuses")
@pytest.mark.parametrize("schema_id", [None, uuid4()], ids=["null", "nobody"])
def test_what_does_not_exist_is_not_promoted(db: Person, schema_id: UUID | None) -> None:
    with db.as_service(), db.refused(sqlstate="P0002"):
        db.run("SELECT promote_personality_schema(%s)", [schema_id])


@pytest.mark.rule("HUGO-27", "refuses")
def test_two_promotions_at_once_take_turns(connect: Callable[[], Person]) -> None:
    one, two = connect(), connect()
    old = define(one, status="active", rollout=100)
    first, second = (define(one, version=version, status="testing") for version in ("1.1.0", "1.2.0"))
    promote = "SELECT promote_personality_schema(%s)"
    one.run("BEGIN")
    one.run(promote, [first])
    with blocked(two, one, promote, [second]) as outcome:
        one.run("COMMIT")
    assert outcome.result() == 1
    assert [state(one, schema) for schema in (old, first, second)] == [
        ("archived", 100),
        ("archived", 100),
        ("active", 100),
    ]


@pytest.mark.rule("HUGO-27", "refuses")
def test_of_two_sessions_that_roll_out_to_100_one_is_refused(connect: Callable[[], Person]) -> None:
    one, two = connect(), connect()
    first, second = (define(one, version=version, status="active", rollout=50) for version in ("1.0.0", "1.1.0"))
    change = "UPDATE personality_schemas SET rollout_percentage = 100 WHERE id = %s"
    one.run("BEGIN")
    one.run(change, [first])
    with blocked(two, one, change, [second]) as outcome:
        one.run("COMMIT")
    with two.refused("ps_unique_active_schema"):
        outcome.result()
    assert state(one, second) == ("active", 50)
