"""Characters: their form, their address, the states they go through, and what the database keeps by itself."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from itertools import product
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.chatvrm.world import World, build_world, create
from tests.people import Person, blocked, insert

STATUSES = ["draft", "published", "archived"]
STEPS = {("draft", "published"), ("published", "archived"), ("published", "draft"), ("archived", "draft")}
SET_STATUS = "UPDATE characters SET status = %s WHERE id = %s"

ROLES = ["user", "service"]


def acting(db: Person, world: World, role: str) -> AbstractContextManager[Person]:
    """Act as Ann or as the service."""
    return db.as_user(world.ann.sub) if role == "user" else db.as_service()


def character(db: Person, id: UUID) -> Any:
    return db.row("SELECT * FROM characters WHERE id = %s", [id])


def in_status(db: Person, world: World, status: str) -> UUID:
    """Return a new character of Ann's in this status; it has been published, if at all, long ago."""
    with db.as_service():
        published_at = None if status == "draft" else "2020-01-01Z"
        return create(db, world.ann.id, status=status, published_at=published_at)


# Form


@pytest.mark.rule("VRM-05", "accepts")
@pytest.mark.parametrize("slug", ["a", "7", "luna", "luna-2", "a-b-c", "0-0", "x" * 255])
@pytest.mark.parametrize("role", ROLES)
def test_a_slug_of_lower_case_letters_digits_and_single_hyphens(db: Person, world: World, role: str, slug: str) -> None:
    with acting(db, world, role):
        row = create(db, world.ann.id, slug=slug)
        assert db.value("SELECT slug FROM characters WHERE id = %s", [row]) == slug
        assert db.run("UPDATE characters SET slug = slug || '' WHERE id = %s", [row]) == 1


BAD_SLUGS = [
    "",
    "-",
    "Luna",
    "lunA",
    "-luna",
    "luna-",
    "lu--na",
    "lu na",
    "lu_na",
    "lu.na",
    "lünä",
    "luna\n",
    "\u0661",
    "a/b",
]


@pytest.mark.rule("VRM-05", "refuses")
@pytest.mark.parametrize("slug", BAD_SLUGS)
def test_any_other_slug_is_refused(db: Person, world: World, slug: str) -> None:
    with db.as_user(world.ann.sub):
        with db.refused("characters_slug_check", "23514"):
            create(db, world.ann.id, slug=slug)
        with db.refused("characters_slug_check", "23514"):
            db.run("UPDATE characters SET slug = %s", [slug])


@pytest.mark.rule("VRM-05", "refuses")
def test_a_slug_is_given_once_whoever_asks(db: Person, world: World) -> None:
    for user in (world.ann, world.bob):
        with db.as_user(user.sub), db.refused("unique_slug", "23505"):
            create(db, user.id, slug="ann")
    with db.as_user(world.bob.sub), db.refused("unique_slug", "23505"):
        db.run("UPDATE characters SET slug = 'ann'")


@pytest.mark.rule("VRM-05", "refuses")
def test_of_two_who_ask_for_a_slug_at_once_one_gets_it(connect: Callable[[], Person]) -> None:
    first, second = connect(), connect()
    world = build_world(first)
    first.run("BEGIN")
    create(first, world.ann.id)
    ask = "INSERT INTO characters (user_id, name, slug, system_prompt) VALUES (%s, 'Luna', 'luna', 'Be loud')"
    with blocked(second, first, ask, [world.bob.id]) as asked:
        first.run("COMMIT")
        with second.refused("unique_slug", "23505"):
            asked.result(timeout=30)
    assert first.value("SELECT user_id FROM characters WHERE slug = 'luna'") == world.ann.id


@pytest.mark.rule("VRM-05", "refuses")
@pytest.mark.parametrize("column", ["name", "system_prompt", "llm_model", "mode", "character_type"])
@pytest.mark.parametrize("blank", ["", " ", "\t\n", "\u200b\u00a0"])
def test_a_text_that_counts_is_not_blank(db: Person, world: World, column: str, blank: str) -> None:
    constraint = f"characters_{'mode' if column == 'character_type' else column}_check"
    with db.as_user(world.ann.sub):
        with db.refused(constraint, "23514"):
            create(db, world.ann.id, **{column: blank})
        with db.refused(constraint, "23514"):
            db.run(f"UPDATE characters SET {column} = %s", [blank])


@pytest.mark.rule("VRM-05", "accepts")
def test_a_new_character_is_an_agentic_draft_of_gpt_4(db: Person, world: World) -> None:
    with db.as_user(world.ann.sub):
        row = character(db, create(db, world.ann.id))
    assert (row.status, row.mode, row.character_type, row.llm_model) == ("draft", "agentic", "agentic", "gpt-4")
    assert (row.voice_config, row.metadata, row.published_at, row.vrm_model_id) == ({}, {}, None, None)
    assert (row.conversation_count, row.average_rating, row.rating_count, row.rating_sum) == (0, None, 0, 0)


NOT_NULL = [
    *("id", "user_id", "name", "slug", "system_prompt", "status", "voice_config", "metadata", "updated_at"),
    *("created_at", "conversation_count", "llm_model", "rating_count", "rating_sum"),
]


@pytest.mark.rule("VRM-05", "refuses")
@pytest.mark.parametrize("column", NOT_NULL)
def test_what_every_character_has_cannot_be_null(db: Person, world: World, column: str) -> None:
    row = {"user_id": world.ann.id, "name": "Luna", "slug": "luna", "system_prompt": "Be kind"}
    with db.refused(sqlstate="23502") as caught:
        insert(db, "characters", **{**row, column: None})
    assert caught.value.diag.column_name == column


@pytest.mark.rule("VRM-05", "refuses")
def test_a_character_stays_its_makers(db: Person, world: World) -> None:
    with db.as_service():
        for change in ("user_id = %s", "id = %s"):
            with db.refused("characters_immutable_check", "23514"):
                db.run(f"UPDATE characters SET {change} WHERE id = %s", [world.bob.id, world.ann.character])
        with db.refused("characters_user_id_fkey", "23503"):
            create(db, uuid4())
        with db.refused("characters_pkey", "23505"):
            create(db, world.bob.id, id=world.ann.character)
    with db.as_user(world.bob.sub):
        with db.refused(sqlstate="42501"):
            create(db, world.ann.id)
        assert db.run("UPDATE characters SET name = 'Mine' WHERE id = %s", [world.ann.character]) == 0


# States


@pytest.mark.rule("VRM-06", "accepts")
@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(("old", "new"), [*sorted(STEPS), *zip(STATUSES, STATUSES, strict=True)])
def test_every_step_that_is_allowed(db: Person, world: World, role: str, old: str, new: str) -> None:
    row = in_status(db, world, old)
    with acting(db, world, role):
        assert db.run(SET_STATUS, [new, row]) == 1
    assert character(db, row).status == new


@pytest.mark.rule("VRM-06", "refuses")
@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(
    ("old", "new"), [pair for pair in product(STATUSES, STATUSES) if pair not in STEPS and pair[0] != pair[1]]
)
def test_every_other_step_is_refused(db: Person, world: World, role: str, old: str, new: str) -> None:
    row = in_status(db, world, old)
    with acting(db, world, role), db.refused("characters_status_transition_check", "23514") as caught:
        db.run(SET_STATUS, [new, row])
    assert old in caught.value.diag.message_primary
    assert "may become" in caught.value.diag.message_hint


@pytest.mark.rule("VRM-06", "refuses")
@pytest.mark.parametrize("status", ["", "Draft", "deleted", "draft "])
def test_there_is_no_other_status(db: Person, world: World, status: str) -> None:
    with db.as_service(), db.refused("check_status", "23514"):
        create(db, world.ann.id, status=status)


@pytest.mark.rule("VRM-06", "accepts")
@pytest.mark.parametrize("status", STATUSES)
def test_a_service_imports_characters_in_any_status(db: Person, world: World, status: str) -> None:
    row = character(db, in_status(db, world, status))
    assert row.status == status
    assert (row.published_at is None) == (status == "draft")


@pytest.mark.rule("VRM-06", "refuses")
@pytest.mark.parametrize("status", ["published", "archived"])
def test_a_user_begins_with_a_draft(db: Person, world: World, status: str) -> None:
    with db.as_user(world.ann.sub):
        with db.refused("characters_status_transition_check", "42501"):
            create(db, world.ann.id, status=status)
        row = create(db, world.ann.id, status="draft")
    assert character(db, row).status == "draft"


@pytest.mark.rule("VRM-06", "accepts")
def test_a_published_character_may_be_sent_whole_in_an_upsert(db: Person, world: World) -> None:
    """As clients do that know no update: the insert is not the one that counts."""
    with db.as_user(world.ann.sub):
        row = db.row("SELECT id, user_id, name, slug, system_prompt, status, conversation_count FROM characters")
        db.run(
            "INSERT INTO characters (id, user_id, name, slug, system_prompt, status, conversation_count)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s)"
            " ON CONFLICT (id) DO UPDATE SET name = 'Sol', status = excluded.status",
            row,
        )
        assert db.row("SELECT name, status FROM characters") == ("Sol", "published")


@pytest.mark.rule("VRM-06", "accepts")
@pytest.mark.parametrize("role", ROLES)
def test_the_first_publication_counts(db: Person, world: World, role: str) -> None:
    with acting(db, world, role):
        row = create(db, world.ann.id)
        first = None
        for status in ("published", "draft", "published", "archived", "draft", "published"):
            db.run(SET_STATUS, [status, row])
            now = character(db, row).published_at
            assert now is not None
            first = first or now
            assert now == first
    assert db.value("SELECT %s BETWEEN now() AND clock_timestamp()", [first])


@pytest.mark.rule("VRM-06", "accepts")
def test_an_import_without_a_date_is_published_now(db: Person, world: World) -> None:
    with db.as_service():
        row = create(db, world.ann.id, status="published")
        told = create(db, world.ann.id, slug="old", status="published", published_at="2020-01-01Z")
    assert db.value("SELECT %s BETWEEN now() AND clock_timestamp()", [character(db, row).published_at])
    assert character(db, told).published_at == db.value("SELECT '2020-01-01Z'::timestamptz")


@pytest.mark.rule("VRM-06", "refuses")
@pytest.mark.parametrize("role", ROLES)
def test_nobody_moves_the_first_publication(db: Person, world: World, role: str) -> None:
    row = in_status(db, world, "published")
    before = character(db, row)
    with acting(db, world, role):
        for value in ("now()", "NULL"):
            db.run(f"UPDATE characters SET published_at = {value}, created_at = '1999-01-01' WHERE id = %s", [row])
            assert character(db, row).published_at == before.published_at
    assert character(db, row).created_at == before.created_at


@pytest.mark.rule("VRM-06", "refuses")
def test_a_user_states_no_dates(db: Person, world: World) -> None:
    with db.as_user(world.ann.sub):
        row = character(db, create(db, world.ann.id, published_at="2020-01-01Z", created_at="2020-01-01Z"))
    assert row.published_at is None
    assert row.created_at == db.value("SELECT now()")


@pytest.mark.rule("VRM-06", "refuses")
def test_a_published_character_has_a_date_even_for_the_owner(db: Person, world: World) -> None:
    db.run("ALTER TABLE characters DISABLE TRIGGER characters_times")
    with db.refused("characters_published_at_check", "23514"):
        create(db, world.ann.id, status="published")


@pytest.mark.rule("VRM-06", "refuses")
@pytest.mark.parametrize("status", STATUSES)
def test_a_character_is_deleted_by_no_api_role(db: Person, world: World, status: str) -> None:
    row = in_status(db, world, status)
    for role in (db.as_user(world.ann.sub), db.as_service(), db.as_anon()):
        for statement in ("DELETE FROM characters", "TRUNCATE characters CASCADE"):
            with role if statement.startswith("D") else db.as_service(), db.refused(sqlstate="42501"):
                db.run(statement)
    assert character(db, row).status == status


@pytest.mark.rule("VRM-06", "refuses")
def test_of_two_steps_at_once_the_second_starts_where_the_first_ended(connect: Callable[[], Person]) -> None:
    first, second = connect(), connect()
    world = build_world(first)
    first.run("BEGIN")
    first.run(SET_STATUS, ["draft", world.ann.character])
    with blocked(second, first, SET_STATUS, ["archived", world.ann.character]) as archived:
        first.run("COMMIT")
        with second.refused("characters_status_transition_check", "23514"):
            archived.result(timeout=30)
    assert character(first, world.ann.character).status == "draft"


# What the database keeps

COUNTERS = {"conversation_count": 7, "average_rating": 5, "rating_count": 2, "rating_sum": 10}


@pytest.mark.rule("VRM-10", "refuses")
@pytest.mark.parametrize("role", ROLES)
def test_nobody_sets_a_counter(db: Person, world: World, role: str) -> None:
    with acting(db, world, role):
        row = create(db, world.ann.id, **COUNTERS)
        for _ in range(2):
            found = character(db, row)
            assert [getattr(found, name) for name in COUNTERS] == [0, None, 0, 0]
            settings = ", ".join(f"{name} = {value}" for name, value in COUNTERS.items())
            assert db.run(f"UPDATE characters SET {settings}, name = 'Sol' WHERE id = %s", [row]) == 1
    assert character(db, row).name == "Sol"


@pytest.mark.rule("VRM-10", "refuses")
@pytest.mark.parametrize(
    ("column", "value", "constraint"),
    [
        ("conversation_count", -1, "check_conversation_count"),
        *(
            ("average_rating", value, "characters_average_rating_check")
            for value in (0.99, 5.01, 0, "NaN", "-infinity")
        ),
    ],
)
def test_counters_stay_within_their_bounds(db: Person, world: World, column: str, value: Any, constraint: str) -> None:
    with db.refused(constraint, "23514"):
        create(db, world.ann.id, **{column: value})
