"""Profiles: the shape of what is known about a user, and how a patch is merged into it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from psycopg.types.json import Jsonb

from tests.othello.world import World, build_world
from tests.people import Person, blocked, insert

TRAITS = ["openness", "conscientiousness", "extraversion", "agreeableness", "neuroticism"]
OBJECTS = ["trait_data", "behavior_patterns", "aspirations", "confidence_scores"]
MERGE = "SELECT trait_data FROM merge_traits(%s::text::jsonb)"


def merge(db: Person, patch: Any) -> Any:
    """Merge a patch and return the traits."""
    return db.value(MERGE, [json.dumps(patch)])


def profile(db: Person, world: World, **columns: Any) -> int:
    """Give Ann a profile and return its id."""
    columns = {"user_id": world.ann.id, **columns}
    return insert(db, "psychological_profiles", **columns)


# Shapes


@pytest.mark.rule("OTH-22", "accepts")
def test_a_profile_begins_empty(db: Person, world: World) -> None:
    with world.ann.acting(db):
        row = db.row("SELECT * FROM psychological_profiles WHERE id = %s", [profile(db, world)])
    assert [getattr(row, column) for column in OBJECTS] == [{}] * 4
    assert (row.user_id, row.mood_history, row.last_analyzed_at) == (world.ann.id, [], None)


@pytest.mark.rule("OTH-22", "accepts")
@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("trait_data", dict.fromkeys(TRAITS, 0.5) | {"preferences": {"communication_style": "direct"}}),
        ("trait_data", {"openness": 0, "neuroticism": 1, "curiosity": 7, "nested": {"openness": 2}}),
        ("trait_data", {"Openness": "high", "list": [{"openness": 9}]}),
        ("behavior_patterns", {"sleep_schedule": {"avg_bedtime": "23:00"}}),
        ("aspirations", {"run": [10, 20]}),
        ("mood_history", []),
        ("mood_history", [{"at": "2025-01-15T10:30:00Z", "mood": "calm"}, 3, None]),
        ("confidence_scores", {"openness": 0, "sleep": 1, "any": 0.123456789012345678}),
    ],
)
def test_data_of_the_right_shape_is_accepted(db: Person, world: World, column: str, value: Any) -> None:
    with world.ann.acting(db):
        row = profile(db, world, **{column: Jsonb(value)})
        assert db.value(f"SELECT {column} FROM psychological_profiles WHERE id = %s", [row]) == value


NO_OBJECTS = ["[]", '[{"openness": 0.5}]', "1", '"open"', "true", "null"]


@pytest.mark.rule("OTH-22", "refuses")
@pytest.mark.parametrize(
    ("column", "value"),
    [
        *((column, value) for column in OBJECTS for value in NO_OBJECTS),
        *(("mood_history", value) for value in ("{}", '{"0": []}', "1", '"calm"', "null")),
        *(("confidence_scores", f'{{"sleep": {value}}}') for value in ("-0.1", "1.1", '"0.5"', "true", "null", "[]")),
        *(("confidence_scores", f'{{"sleep": {value}}}') for value in ("[0.5]", "{}", "-1e-9", "1.000000001")),
        ("confidence_scores", '{"sleep": 0.5, "mood": 2}'),
    ],
)
def test_data_of_another_shape_is_refused(db: Person, world: World, column: str, value: str) -> None:
    with world.ann.acting(db):
        with db.refused(f"psychological_profiles_{column}_check", "23514") as caught:
            profile(db, world, **{column: value})
        assert value not in str(caught.value.diag.message_detail)
        row = profile(db, world)
        with db.refused(f"psychological_profiles_{column}_check", "23514"):
            db.run(f"UPDATE psychological_profiles SET {column} = %s WHERE id = %s", [value, row])


@pytest.mark.rule("OTH-22", "refuses")
@pytest.mark.parametrize("trait", TRAITS)
@pytest.mark.parametrize("value", ["-0.01", "1.01", '"0.5"', "true", "null", "[]", "[0.5]", "{}", '{"value": 0.5}'])
def test_a_trait_is_a_number_from_0_to_1(db: Person, world: World, trait: str, value: str) -> None:
    with world.ann.acting(db):
        with db.refused("psychological_profiles_traits_check", "23514"):
            profile(db, world, trait_data=f'{{"other": 0.5, "{trait}": {value}}}')
        for accepted in (0, 0.5, 1):
            profile(db, world, trait_data=f'{{"other": 9, "{trait}": {accepted}}}')
            db.run("DELETE FROM psychological_profiles")


@pytest.mark.rule("OTH-22", "refuses")
@pytest.mark.parametrize("column", ["user_id", *OBJECTS, "mood_history", "created_at", "updated_at"])
def test_what_every_profile_has_cannot_be_null(db: Person, world: World, column: str) -> None:
    with db.as_service(), db.refused(sqlstate="23502") as caught:
        profile(db, world, **{column: None})
    assert caught.value.diag.column_name == column


@pytest.mark.rule("OTH-22", "refuses")
def test_a_user_has_one_profile(db: Person, world: World) -> None:
    with world.ann.acting(db):
        row = profile(db, world)
        with db.refused("idx_psychological_profiles_user", "23505"):
            profile(db, world)
    with db.as_service():
        with db.refused("psychological_profiles_pkey", "23505"):
            profile(db, world, user_id=world.bob.id, id=row)
        with db.refused("psychological_profiles_user_id_fkey", "23503"):
            profile(db, world, user_id=2**40)
    for person in (world.ann.acting(db), db.as_service()):
        with person:
            for change in (f"user_id = {world.bob.id}", "id = id + 1000"):
                with db.refused("psychological_profiles_immutable_check", "23514"):
                    db.run(f"UPDATE psychological_profiles SET {change} WHERE id = %s", [row])


@pytest.mark.rule("OTH-22", "accepts")
def test_a_user_reads_corrects_and_removes_what_is_noted(db: Person, world: World) -> None:
    old = "2020-01-01 00:00:00+00"
    times = "created_at = now() AS created, updated_at = now() AS updated, last_analyzed_at = now() AS analyzed"
    with db.as_service():
        row = profile(db, world, created_at=old, updated_at=old, last_analyzed_at=old)
        assert db.row(f"SELECT {times} FROM psychological_profiles") == (False, False, False)
    with world.ann.acting(db):
        db.run("UPDATE psychological_profiles SET aspirations = '{\"run\": 10}', created_at = now()")
        assert db.row(f"SELECT {times} FROM psychological_profiles") == (False, True, False)
        assert db.run("DELETE FROM psychological_profiles WHERE id = %s", [row]) == 1
        profile(db, world, created_at=old, updated_at=old)
        assert db.row(f"SELECT {times} FROM psychological_profiles") == (True, True, None)


# Patches


@pytest.mark.rule("OTH-22", "accepts")
def test_the_first_patch_makes_the_profile(db: Person, world: World) -> None:
    with world.ann.acting(db):
        row = db.row('SELECT * FROM merge_traits(\'{"openness": 0.7, "gone": null}\')')
        stored = db.row("SELECT * FROM psychological_profiles")
    assert row == stored
    assert (row.user_id, row.trait_data) == (world.ann.id, {"openness": 0.7})
    assert row.last_analyzed_at == db.value("SELECT now()")


@pytest.mark.rule("OTH-22", "accepts")
def test_a_patch_changes_the_callers_traits_alone(db: Person, world: World) -> None:
    with world.bob.acting(db):
        merge(db, {"openness": 0.1})
    with db.as_service():
        row = profile(
            db,
            world,
            trait_data=Jsonb({"openness": 0.5, "preferences": {"style": "direct", "pace": "slow"}}),
            aspirations=Jsonb({"run": 10}),
            last_analyzed_at="2020-01-01Z",
        )
    with world.ann.acting(db):
        merged = merge(db, {"neuroticism": 0.2, "preferences": {"style": None, "pace": "fast"}})
        expected = {"openness": 0.5, "neuroticism": 0.2, "preferences": {"pace": "fast"}}
        assert merged == expected
        after = db.row("SELECT *, last_analyzed_at = now() AS stamped FROM psychological_profiles")
        assert (after.id, after.trait_data, after.aspirations, after.stamped) == (row, expected, {"run": 10}, True)
    with world.bob.acting(db):
        assert db.value("SELECT trait_data FROM psychological_profiles") == {"openness": 0.1}


# Appendix A of RFC 7396, and what it leaves to be derived.
MERGES = [
    ('{"a":"b"}', '{"a":"c"}', '{"a":"c"}'),
    ('{"a":"b"}', '{"b":"c"}', '{"a":"b","b":"c"}'),
    ('{"a":"b"}', '{"a":null}', "{}"),
    ('{"a":"b","b":"c"}', '{"a":null}', '{"b":"c"}'),
    ('{"a":["b"]}', '{"a":"c"}', '{"a":"c"}'),
    ('{"a":"c"}', '{"a":["b"]}', '{"a":["b"]}'),
    ('{"a":{"b":"c"}}', '{"a":{"b":"d","c":null}}', '{"a":{"b":"d"}}'),
    ('{"a":[{"b":"c"}]}', '{"a":[1]}', '{"a":[1]}'),
    ('["a","b"]', '["c","d"]', '["c","d"]'),
    ('{"a":"b"}', '["c"]', '["c"]'),
    ('{"a":"foo"}', "null", "null"),
    ('{"a":"foo"}', '"bar"', '"bar"'),
    ('{"e":null}', '{"a":1}', '{"e":null,"a":1}'),
    ("[1,2]", '{"a":"b","c":null}', '{"a":"b"}'),
    ("{}", '{"a":{"bb":{"ccc":null}}}', '{"a":{"bb":{}}}'),
    ('{"a":1}', "{}", '{"a":1}'),
    ('{"a":{"b":1}}', '{"a":{}}', '{"a":{"b":1}}'),
    ('{"a":1}', '{"a":{"b":null,"c":[null]}}', '{"a":{"c":[null]}}'),
    ('{"a":{"b":{"c":1,"d":2}},"e":3}', '{"a":{"b":{"c":9}}}', '{"a":{"b":{"c":9,"d":2}},"e":3}'),
]


@pytest.mark.rule("OTH-22", "accepts")
@pytest.mark.parametrize(("target", "patch", "result"), MERGES)
def test_json_is_merged_as_rfc_7396_says(db: Person, world: World, target: str, patch: str, result: str) -> None:
    with world.ann.acting(db):
        assert db.value("SELECT merge_json(%s, %s)", [target, patch]) == json.loads(result)
        if target[0] + patch[0] + result[0] == "{{{":
            profile(db, world, trait_data=target)
            assert merge(db, json.loads(patch)) == json.loads(result)


@pytest.mark.rule("OTH-22", "refuses")
@pytest.mark.parametrize("patch", ["[]", '[{"openness": 0.5}]', '"x"', "1", "true", "null", None])
def test_a_patch_that_is_no_object_is_refused(db: Person, world: World, patch: str | None) -> None:
    with world.ann.acting(db):
        with db.refused(sqlstate="22023"):
            db.run(MERGE, [patch])
        assert db.rows("SELECT id FROM psychological_profiles") == []


@pytest.mark.rule("OTH-22", "refuses")
def test_a_patch_that_makes_a_trait_wrong_changes_nothing(db: Person, world: World) -> None:
    with world.ann.acting(db):
        with db.refused("psychological_profiles_traits_check", "23514"):
            merge(db, {"openness": 2})
        merge(db, {"openness": 0.5})
        with db.refused("psychological_profiles_traits_check", "23514"):
            merge(db, {"other": 1, "openness": {"value": 0.7}})
        assert db.value("SELECT trait_data FROM psychological_profiles") == {"openness": 0.5}


def nested(depth: int) -> str:
    return '{"a":' * depth + "1" + "}" * depth


@pytest.mark.rule("OTH-22", "refuses")
def test_a_patch_that_is_nested_too_deeply_is_refused(db: Person, world: World) -> None:
    with world.ann.acting(db):
        db.run(MERGE, [nested(100)])
        with db.refused(sqlstate="22023") as caught:
            db.run(MERGE, [nested(3000)])
        assert "nested" in caught.value.diag.message_primary
        assert db.value("SELECT trait_data FROM psychological_profiles") == json.loads(nested(100))


@pytest.mark.rule("OTH-22", "refuses")
def test_only_users_have_traits_to_merge(db: Person, world: World) -> None:
    with db.as_service(), db.refused(sqlstate="42501"):
        merge(db, {"openness": 0.5})
    with db.as_anon(), db.refused(sqlstate="42501"):
        merge(db, {"openness": 0.5})
    with db.as_service():
        db.run("UPDATE users SET is_active = FALSE WHERE id = %s", [world.ann.id])
    with world.ann.acting(db), db.refused(sqlstate="42501"):
        merge(db, {"openness": 0.5})
    assert db.rows("SELECT id FROM psychological_profiles") == []


@pytest.mark.rule("OTH-22", "accepts")
@pytest.mark.parametrize("there", [True, False])
def test_two_patches_at_once_are_both_merged(connect: Callable[[], Person], there: bool) -> None:
    first, second = connect(), connect()
    world = build_world(first)
    if there:
        profile(first, world, trait_data='{"openness": 0.1, "preferences": {"pace": "slow"}}')
    with first.as_user(world.ann.external_id), second.as_user(world.ann.external_id):
        first.run("BEGIN")
        merge(first, {"openness": 0.7, "preferences": {"style": "direct"}})
        with blocked(second, first, MERGE, ['{"neuroticism": 0.2, "preferences": {"tone": "warm"}}']) as outcome:
            first.run("COMMIT")
        assert outcome.result() == 1
        preferences = {"style": "direct", "tone": "warm"} | ({"pace": "slow"} if there else {})
        assert first.value("SELECT trait_data FROM psychological_profiles") == {
            "openness": 0.7,
            "neuroticism": 0.2,
            "preferences": preferences,
        }
