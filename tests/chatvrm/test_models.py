"""What characters look and sound like: models that anyone sees once approved, and one voice for each character."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.chatvrm.world import World, create
from tests.people import Person, insert

WEAR = "UPDATE characters SET vrm_model_id = %s"


def model(db: Person, **columns: Any) -> UUID:
    """Insert a model, public and approved unless said otherwise, and return its id."""
    columns = {"name": "Rabbit", "category": "animal", "file_url": "https://m.example/r.vrm", **columns}
    return insert(db, "vrm_models", **{"is_public": True, "is_approved": True, **columns})


# Models


@pytest.mark.rule("VRM-08", "accepts")
@pytest.mark.parametrize(
    "columns",
    [
        {"polygon_count": 0, "file_size_mb": 0.001},
        {"polygon_count": 2147483647, "file_size_mb": 1e300, "tags": ["cute", "long ears"]},
        {"polygon_count": None, "file_size_mb": None, "tags": [], "preview_url": "https://m.example/r.png"},
    ],
)
def test_a_model_of_any_size(db: Person, columns: dict[str, Any]) -> None:
    with db.as_service():
        row = db.row("SELECT * FROM vrm_models WHERE id = %s", [model(db, **columns)])._asdict()
    assert {name: row[name] for name in columns} == columns


@pytest.mark.rule("VRM-08", "accepts")
def test_a_new_model_is_neither_public_nor_approved(db: Person) -> None:
    with db.as_service():
        row = insert(db, "vrm_models", name="Rabbit", category="animal", file_url="u")
        found = db.row("SELECT is_public, is_approved, metadata, tags FROM vrm_models WHERE id = %s", [row])
    assert found == (False, False, {}, [])


BAD_MODELS: list[tuple[str, Any]] = [
    *((column, blank) for column in ("name", "category", "file_url") for blank in ("", " ", "\u200b")),
    ("polygon_count", -1),
    *(("file_size_mb", size) for size in (0, -1, "NaN", "Infinity", "-Infinity")),
    *(("tags", tags) for tags in (["a", "a"], [None], ["a", None])),
]


@pytest.mark.rule("VRM-08", "refuses")
@pytest.mark.parametrize(("column", "value"), BAD_MODELS)
def test_a_model_of_another_form_is_refused(db: Person, column: str, value: Any) -> None:
    with db.as_service():
        with db.refused(f"vrm_models_{column}_check", "23514"):
            model(db, **{column: value})
        model(db)
        with db.refused(f"vrm_models_{column}_check", "23514"):
            db.run(f"UPDATE vrm_models SET {column} = %s", [value])


@pytest.mark.rule("VRM-08", "refuses")
@pytest.mark.parametrize(
    "column", ["id", "name", "category", "file_url", "metadata", "is_public", "is_approved", "created_at", "tags"]
)
def test_what_every_model_has_cannot_be_null(db: Person, column: str) -> None:
    with db.as_service(), db.refused(sqlstate="23502") as caught:
        model(db, **{column: None})
    assert caught.value.diag.column_name == column


@pytest.mark.rule("VRM-08", "accepts")
def test_anyone_sees_models_that_are_public_and_approved(db: Person, world: World) -> None:
    with db.as_service():
        model(db, name="hidden", is_public=False)
        model(db, name="new", is_approved=False)
        model(db, name="both", is_public=False, is_approved=False)
        model(db, name="seen")
        assert db.value("SELECT count(*) FROM vrm_models") == 4
    for acting in (db.as_anon(), db.as_user(world.ann.sub), db.as_user("auth0|nobody")):
        with acting:
            assert db.rows("SELECT name FROM vrm_models") == [("seen",)]


@pytest.mark.rule("VRM-08", "refuses")
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE vrm_models SET is_approved = TRUE",
        "UPDATE vrm_models SET name = 'Mine'",
        "DELETE FROM vrm_models",
        "INSERT INTO vrm_models (name, category, file_url) VALUES ('Rabbit', 'animal', 'u')",
        "INSERT INTO vrm_models (name, category, file_url, is_approved) VALUES ('Rabbit', 'animal', 'u', TRUE)",
    ],
)
def test_models_are_kept_and_approved_by_services_only(db: Person, world: World, statement: str) -> None:
    model(db, is_approved=False)
    for acting in (db.as_anon(), db.as_user(world.ann.sub)):
        with acting, db.refused(sqlstate="42501"):
            db.run(statement)
    with db.as_service():
        assert db.run(statement) == 1


@pytest.mark.rule("VRM-08", "accepts")
def test_a_character_wears_a_model_that_its_owner_may_see(db: Person, world: World) -> None:
    row = model(db)
    with db.as_user(world.ann.sub):
        assert db.run(WEAR, [row]) == 1
        assert db.value("SELECT vrm_model_id FROM characters") == row
        worn = create(db, world.ann.id, vrm_model_id=row)
    with db.as_service():
        db.run("UPDATE vrm_models SET is_approved = FALSE")
    with db.as_user(world.ann.sub):
        assert db.run(f"{WEAR}, name = 'Still in it' WHERE id = %s", [row, worn]) == 1
        upsert = (
            "INSERT INTO characters (id, user_id, name, slug, system_prompt, vrm_model_id)"
            " SELECT id, user_id, 'Sent again', slug, system_prompt, vrm_model_id FROM characters WHERE slug = 'luna'"
            " ON CONFLICT ({}) DO UPDATE SET name = excluded.name, vrm_model_id = excluded.vrm_model_id"
        )
        for target in ("id", "slug"):
            assert db.run(upsert.format(target)) == 1
        assert db.rows("SELECT slug, vrm_model_id FROM characters WHERE name = 'Sent again'") == [("luna", row)]
        assert db.run(WEAR, [None]) == 2


@pytest.mark.rule("VRM-08", "refuses")
def test_a_model_out_of_sight_is_like_none_at_all(db: Person, world: World) -> None:
    with db.as_service():
        hidden = model(db, is_public=False)
    refusals = set()
    with db.as_user(world.ann.sub):
        for row in (hidden, uuid4()):
            with db.refused("characters_vrm_model_id_fkey", "23503") as caught:
                create(db, world.ann.id, vrm_model_id=row)
            refusals.add(str(caught.value).replace(str(row), "…"))
            with db.refused("characters_vrm_model_id_fkey", "23503") as caught:
                db.run(WEAR, [row])
            refusals.add(str(caught.value).replace(str(row), "…"))
    assert len(refusals) == 1, refusals
    with db.as_service():
        assert db.run(f"{WEAR} WHERE id = %s", [hidden, world.ann.character]) == 1


@pytest.mark.rule("VRM-08", "accepts")
def test_a_model_that_goes_leaves_its_characters_without(db: Person, world: World) -> None:
    with db.as_service():
        row = model(db)
        db.run(WEAR, [row])
        assert db.run("DELETE FROM vrm_models") == 1
        assert db.rows("SELECT DISTINCT vrm_model_id FROM characters") == [(None,)]


# Voices


def voice(db: Person, world: World, **columns: Any) -> UUID:
    """Insert the voice of Ann's character and return its id."""
    columns = {"character_id": world.ann.character, "provider": "elevenlabs", "voice_id": "v1", **columns}
    return insert(db, "voice_configs", **columns)


@pytest.mark.rule("VRM-09", "accepts")
def test_a_character_has_a_voice(db: Person, world: World) -> None:
    with db.as_user(world.ann.sub):
        row = db.row("SELECT * FROM voice_configs WHERE id = %s", [voice(db, world)])
        assert (row.speed, row.pitch, row.volume, row.emotion_settings) == (1, 0, 1, {})
        assert row.user_id == world.ann.id
        assert db.run("UPDATE voice_configs SET provider = 'azure', emotion_settings = '{\"happy\": {}}'") == 1
        assert db.run("DELETE FROM voice_configs") == 1
        voice(db, world, user_id=world.ann.id)
    with db.as_user(world.bob.sub):
        assert db.rows("SELECT id FROM voice_configs") == []


@pytest.mark.rule("VRM-09", "accepts")
@pytest.mark.parametrize(
    ("column", "value"),
    [
        *(("speed", value) for value in (5e-324, 0.25, 4, 1e308)),
        *(("pitch", value) for value in (-1e308, -12, 0, 0.5, 1e308)),
        *(("volume", value) for value in (0, 0.5, 1e308)),
    ],
)
def test_a_voice_of_any_finite_kind(db: Person, world: World, column: str, value: float) -> None:
    with db.as_user(world.ann.sub):
        row = voice(db, world, **{column: value})
    assert db.value(f"SELECT {column} FROM voice_configs WHERE id = %s", [row]) == value


BAD_VOICES: list[tuple[str, Any]] = [
    *((column, value) for column in ("speed", "pitch", "volume") for value in ("NaN", "Infinity", "-Infinity")),
    *(("speed", value) for value in (0, -1, -0.0)),
    *(("volume", value) for value in (-5e-324, -1)),
    *((column, blank) for column in ("provider", "voice_id") for blank in ("", " ", "\u00a0")),
]


@pytest.mark.rule("VRM-09", "refuses")
@pytest.mark.parametrize(("column", "value"), BAD_VOICES)
def test_a_voice_of_another_kind_is_refused(db: Person, world: World, column: str, value: Any) -> None:
    with db.as_user(world.ann.sub):
        with db.refused(f"voice_configs_{column}_check", "23514"):
            voice(db, world, **{column: value})
        voice(db, world)
        with db.refused(f"voice_configs_{column}_check", "23514"):
            db.run(f"UPDATE voice_configs SET {column} = %s", [value])


@pytest.mark.rule("VRM-09", "refuses")
@pytest.mark.parametrize(
    "column", ["id", "provider", "voice_id", "speed", "pitch", "volume", "emotion_settings", "updated_at"]
)
def test_what_every_voice_has_cannot_be_null(db: Person, world: World, column: str) -> None:
    with db.as_service(), db.refused(sqlstate="23502") as caught:
        voice(db, world, **{column: None})
    assert caught.value.diag.column_name == column


@pytest.mark.rule("VRM-09", "refuses")
def test_a_character_has_one_voice(db: Person, world: World) -> None:
    with db.as_user(world.ann.sub):
        voice(db, world)
        with db.refused("voice_configs_character_id_key", "23505"):
            voice(db, world, voice_id="v2")


@pytest.mark.rule("VRM-09", "refuses")
def test_a_voice_stays_with_its_character(db: Person, world: World) -> None:
    with db.as_service():
        row = voice(db, world)
        for change, value in [("character_id", world.bob.character), ("user_id", world.bob.id), ("id", uuid4())]:
            with db.refused("voice_configs_immutable_check", "23514"):
                db.run(f"UPDATE voice_configs SET {change} = %s", [value])
        assert db.run("UPDATE voice_configs SET character_id = character_id, user_id = user_id, id = id") == 1
        with db.refused("voice_configs_pkey", "23505"):
            voice(db, world, id=row, character_id=world.bob.character)


@pytest.mark.rule("VRM-09", "refuses")
def test_a_character_of_somebody_else_is_like_none_at_all(db: Person, world: World) -> None:
    refusals: dict[bool, set[str]] = {False: set(), True: set()}
    with db.as_user(world.bob.sub):
        for character in (world.ann.character, uuid4()):
            for owner in ({}, {"user_id": world.bob.id}):
                with db.refused("voice_configs_character_id_fkey", "23503") as caught:
                    voice(db, world, character_id=character, **owner)
                refusals[bool(owner)].add(str(caught.value).replace(str(character), "…"))
        with db.refused("voice_configs_character_id_fkey", "23503"):
            voice(db, world, user_id=world.ann.id)
    assert [len(each) for each in refusals.values()] == [1, 1], refusals
    with db.as_service(), db.refused("voice_configs_character_id_fkey", "23503"):
        voice(db, world, character_id=None)


@pytest.mark.rule("VRM-09", "accepts")
def test_a_voice_goes_with_its_character(db: Person, world: World) -> None:
    voice(db, world)
    db.run("DELETE FROM characters WHERE id = %s", [world.ann.character])
    assert db.rows("SELECT id FROM voice_configs") == []
