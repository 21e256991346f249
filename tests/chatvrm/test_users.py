"""Users: form of the data, who may change what, whom a token names; and the time of the last change."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.chatvrm.world import World, collect, create, subscribe
from tests.people import Person, insert


def add_user(db: Person, **columns: Any) -> UUID:
    return insert(db, "users", **{"email": f"{uuid4()}@example.org", "auth0_id": f"auth0|{uuid4()}", **columns})


# Form


@pytest.mark.rule("VRM-01", "accepts")
@pytest.mark.parametrize(
    "email", ["a@b.co", "first.last+tag@sub.example.org", "ü@exämple.de", "a" * 242 + "@example.org"]
)
def test_an_address_of_valid_form_is_accepted(db: Person, email: str) -> None:
    with db.as_service():
        user = add_user(db, email=email)
    row = db.row("SELECT * FROM users WHERE id = %s", [user])
    assert (row.email, row.subscription_tier, row.settings, row.email_verified) == (email, "free", {}, False)


BAD_EMAILS = ["", "a", "a@b", "@b.co", "a@", "a@@b.co", "a b@c.co", " a@b.co", "a@b.co ", "a@b..co", "a@b.co\n"]


@pytest.mark.rule("VRM-01", "refuses")
@pytest.mark.parametrize("email", [*BAD_EMAILS, "a@b\u00a0c.co", "a" * 243 + "@example.org"])
def test_an_address_of_another_form_is_refused(db: Person, world: World, email: str) -> None:
    with db.as_service():
        with db.refused("users_email_check", "23514"):
            add_user(db, email=email)
        with db.refused("users_email_check"):
            db.run("UPDATE users SET email = %s WHERE id = %s", [email, world.ann.id])


@pytest.mark.rule("VRM-01", "refuses")
@pytest.mark.parametrize("auth0_id", ["", " ", "\t\n", "\u200b\u00a0"])
def test_an_auth0_id_is_not_blank(db: Person, auth0_id: str) -> None:
    with db.as_service(), db.refused("users_auth0_id_check", "23514"):
        add_user(db, auth0_id=auth0_id)


@pytest.mark.rule("VRM-01", "refuses")
@pytest.mark.parametrize("tier", ["", " ", "\u3000"])
def test_a_tier_is_not_blank(db: Person, world: World, tier: str) -> None:
    with db.refused("users_subscription_tier_check", "23514"):
        add_user(db, subscription_tier=tier)


@pytest.mark.rule("VRM-01", "refuses")
@pytest.mark.parametrize(
    ("column", "constraint"),
    [("email", "idx_users_email"), ("auth0_id", "idx_users_auth0_id"), ("id", "users_pkey")],
)
def test_a_person_is_registered_once(db: Person, world: World, column: str, constraint: str) -> None:
    taken = db.value(f"SELECT {column} FROM users WHERE id = %s", [world.ann.id])
    with db.as_service(), db.refused(constraint, "23505"):
        add_user(db, **{column: taken})


@pytest.mark.rule("VRM-01", "refuses")
@pytest.mark.parametrize(
    "column", ["id", "email", "auth0_id", "settings", "email_verified", "subscription_tier", "created_at", "updated_at"]
)
def test_what_every_user_has_cannot_be_null(db: Person, column: str) -> None:
    with db.refused(sqlstate="23502") as caught:
        add_user(db, **{column: None})
    assert caught.value.diag.column_name == column


# Who may change what


@pytest.mark.rule("VRM-01", "accepts")
def test_one_changes_ones_own_name_picture_and_settings(db: Person, world: World) -> None:
    with db.as_user(world.ann.sub):
        assert (
            db.run("UPDATE users SET name = 'Ann', avatar_url = 'https://a.example', settings = '{\"dark\": true}'")
            == 1
        )
        row = db.row("SELECT * FROM users")
    assert (row.id, row.name, row.settings) == (world.ann.id, "Ann", {"dark": True})
    assert db.value("SELECT name FROM users WHERE id = %s", [world.bob.id]) is None


@pytest.mark.rule("VRM-01", "refuses")
@pytest.mark.parametrize(
    "change",
    [
        "email = 'other@example.org'",
        "auth0_id = 'auth0|other'",
        "email_verified = TRUE",
        "last_login_at = now()",
    ],
)
def test_who_one_is_changes_by_a_service_only(db: Person, world: World, change: str) -> None:
    with db.as_user(world.ann.sub), db.refused("users_authority_check", "42501"):
        db.run(f"UPDATE users SET {change}")
    column, value = change.split(" = ")
    with db.as_service():
        assert db.value(f"UPDATE users SET {change} WHERE id = %s RETURNING {column} = {value}", [world.ann.id])


@pytest.mark.rule("VRM-01", "accepts")
def test_a_client_may_send_its_whole_row_back(db: Person, world: World) -> None:
    with db.as_user(world.ann.sub):
        row = db.row("SELECT * FROM users")._asdict()
        row["settings"] = "{}"
        settings = ", ".join(f"{column} = %({column})s" for column in row)
        assert db.run(f"UPDATE users SET {settings}", {**row, "name": "Ann"}) == 1
        assert db.value("SELECT name FROM users") == "Ann"


@pytest.mark.rule("VRM-01", "refuses")
def test_a_tier_and_a_date_of_joining_are_not_to_be_set(db: Person, world: World) -> None:
    with db.as_service():
        user = add_user(db, subscription_tier="pro", created_at="2020-01-01Z")
        assert db.row("SELECT subscription_tier, created_at FROM users WHERE id = %s", [user]) == (
            "free",
            db.value("SELECT '2020-01-01Z'::timestamptz"),
        )
        db.run("UPDATE users SET subscription_tier = 'pro', created_at = '2019-01-01Z'")
    with db.as_user(world.ann.sub):
        db.run("UPDATE users SET subscription_tier = 'pro', created_at = '2019-01-01Z'")
    assert db.rows("SELECT DISTINCT subscription_tier FROM users") == [("free",)]
    assert db.value("SELECT count(*) FROM users WHERE created_at < '2020-01-01Z'") == 0


@pytest.mark.rule("VRM-01", "refuses")
def test_an_id_never_changes_and_nobody_signs_up_or_leaves_alone(db: Person, world: World) -> None:
    with db.as_service(), db.refused("users_immutable_check", "23514"):
        db.run("UPDATE users SET id = gen_random_uuid() WHERE id = %s", [world.ann.id])
    with db.as_user("auth0|carl"), db.refused(sqlstate="42501"):
        add_user(db, auth0_id="auth0|carl")
    with db.as_user(world.ann.sub), db.refused(sqlstate="42501"):
        db.run("DELETE FROM users")
    with db.as_anon(), db.refused(sqlstate="42501"):
        db.rows("SELECT id FROM users")


# Whom a token names


@pytest.mark.rule("VRM-02", "accepts")
def test_a_token_names_the_user_with_its_auth0_id(db: Person, world: World) -> None:
    for user in (world.ann, world.bob):
        with db.as_user(user.sub):
            assert db.value("SELECT current_user_id()") == user.id
            assert db.rows("SELECT id FROM users") == [(user.id,)]


@pytest.mark.rule("VRM-02", "accepts")
@pytest.mark.parametrize("sub", ["google-oauth2|1037", "a b|ü", "7d0c1b5e-3f4e-4f0a-9c3e-0f6f3b1d2a11", "x" * 255])
def test_a_sub_may_be_any_text(db: Person, sub: str) -> None:
    with db.as_service():
        user = add_user(db, auth0_id=sub)
    with db.as_user(sub):
        assert db.value("SELECT current_user_id()") == user


@pytest.mark.rule("VRM-02", "refuses")
def test_a_token_of_nobody_names_nobody(db: Person, world: World) -> None:
    for sub in ("auth0|nobody", str(world.ann.id), "AUTH0|ANN", "auth0|ann ", "auth0|an_", "%"):
        with db.as_user(sub):
            assert db.value("SELECT current_user_id()") is None
            assert db.rows("SELECT id FROM users") == []
            assert db.rows("SELECT id FROM characters") == []


@pytest.mark.rule("VRM-02", "refuses")
def test_claims_without_a_sub_name_nobody(db: Person, world: World) -> None:
    with db.as_user(world.ann.sub):
        for claims in ("", "{}", '{"role": "authenticated"}', '{"sub": ""}', '{"sub": null}', '{"sub": ["auth0|ann"]}'):
            db.run("SELECT set_config('request.jwt.claims', %s, TRUE)", [claims])
            assert db.value("SELECT current_user_id()") is None
            assert db.rows("SELECT id FROM users") == []
    with db.as_service():
        assert db.value("SELECT current_user_id()") is None
    with db.as_anon(), db.refused(sqlstate="42501"):
        db.run("SELECT current_user_id()")


@pytest.mark.rule("VRM-02", "refuses")
def test_a_table_of_the_callers_own_does_not_stand_in_for_users(db: Person, world: World) -> None:
    with db.as_user(world.bob.sub):
        db.run("CREATE TEMPORARY TABLE users (id uuid, auth0_id varchar)")
        db.run("INSERT INTO pg_temp.users VALUES (%s, %s)", [world.ann.id, world.bob.sub])
        db.run(f'SET LOCAL search_path = pg_temp, "{db.schema}", platform')
        assert db.value("SELECT current_user_id()") == world.bob.id


# The time of the last change

OLD = "2020-01-01 00:00:00+00"

# A change of each table that says when it was changed, and what is none.
CHANGES = {
    "users": "name = 'Ann'",
    "characters": "description = 'Of the moon'",
    "voice_configs": "speed = 1.5",
    "knowledge_bases": "description = 'All of it'",
    "subscriptions": "tier = 'team'",
}
COUNTERS = {
    "characters": ["conversation_count = 5", "average_rating = 4", "rating_count = 2", "rating_sum = 8"],
    "knowledge_bases": ["document_count = 3", "total_chunks = 7"],
}


def aged_row(db: Person, world: World, table: str) -> UUID:
    """Insert a row of Ann's, changed long ago, and return its id."""
    user, old = world.ann, {"updated_at": OLD}
    match table:
        case "users":
            return add_user(db, **old)
        case "characters":
            return create(db, user.id, **old)
        case "voice_configs":
            return insert(db, table, character_id=user.character, provider="p", voice_id="v", **old)
        case "knowledge_bases":
            return collect(db, user, **old)
    return subscribe(db, user, **old)


@pytest.mark.rule("VRM-26", "accepts")
@pytest.mark.parametrize("table", CHANGES)
def test_every_change_moves_updated_at(db: Person, world: World, table: str) -> None:
    row = aged_row(db, world, table)
    for change in (CHANGES[table], "id = id"):
        db.run(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        db.run(f"UPDATE {table} SET updated_at = %s WHERE id = %s", [OLD, row])
        db.run(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        with db.as_service():
            assert db.run(f"UPDATE {table} SET {change} WHERE id = %s", [row]) == 1
        assert db.value(f"SELECT updated_at = now() FROM {table} WHERE id = %s", [row]), change


@pytest.mark.rule("VRM-26", "refuses")
@pytest.mark.parametrize("table", CHANGES)
def test_nobody_sets_updated_at_of_a_row_that_is_there(db: Person, world: World, table: str) -> None:
    row = aged_row(db, world, table)
    assert db.value(f"SELECT updated_at = %s FROM {table} WHERE id = %s", [OLD, row])
    with db.as_service():
        db.run(f"UPDATE {table} SET updated_at = '1999-01-01' WHERE id = %s", [row])
    assert db.value(f"SELECT updated_at IN (%s, now()) FROM {table} WHERE id = %s", [OLD, row])
    with db.as_service():
        db.run(f"UPDATE {table} SET {CHANGES[table]}, updated_at = '1999-01-01' WHERE id = %s", [row])
    assert db.value(f"SELECT updated_at = now() FROM {table} WHERE id = %s", [row])


@pytest.mark.rule("VRM-26", "refuses")
@pytest.mark.parametrize(("table", "counter"), [(table, each) for table, all in COUNTERS.items() for each in all])
def test_counting_is_no_change(db: Person, world: World, table: str, counter: str) -> None:
    row = aged_row(db, world, table)
    assert db.run(f"UPDATE {table} SET {counter} WHERE id = %s", [row]) == 1
    assert db.value(f"SELECT updated_at = %s FROM {table} WHERE id = %s", [OLD, row])
