"""Users: form of the data, and who may change what."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from tests.hugo.world import World, begin, say
from tests.people import Person, insert


def add_user(db: Person, **columns: Any) -> Any:
    return insert(db, "users", **{"oriva_user_id": uuid4(), "email": f"{uuid4()}@example.org", **columns})


@pytest.mark.rule("HUGO-01", "accepts")
@pytest.mark.parametrize(
    "email", ["a@b.co", "first.last+tag@sub.example.org", "ümlaut@exämple.de", "a" * 242 + "@example.org"]
)
def test_an_address_of_valid_form_is_accepted(db: Person, email: str) -> None:
    with db.as_service():
        user = add_user(db, email=email)
    assert db.value("SELECT email FROM users WHERE id = %s", [user]) == email


BAD_EMAILS = [
    *(
        "",
        "a",
        "a@b",
        "@b.co",
        "a@",
        "a@@b.co",
        "a@b@c.co",
        "a b@c.co",
        " a@b.co",
        "a@b.co ",
        "a@b..co",
        "a@.co",
        "a@b.co.",
    ),
    *("a@b.co\n", "a\t@b.co", "a@b\u00a0c.co", "a@b.c\x7fo", "a" * 243 + "@example.org"),
]


@pytest.mark.rule("HUGO-01", "refuses")
@pytest.mark.parametrize("email", BAD_EMAILS)
def test_an_address_of_another_form_is_refused(db: Person, world: World, email: str) -> None:
    with db.as_service():
        with db.refused("users_email_check", "23514"):
            add_user(db, email=email)
        with db.refused("users_email_check"):
            db.run("UPDATE users SET email = %s WHERE id = %s", [email, world.ann])


@pytest.mark.parametrize(
    ("column", "constraint"),
    [("email", "users_email_idx"), ("oriva_user_id", "users_oriva_id_idx"), ("id", "users_pkey")],
)
def test_a_person_is_registered_once(db: Person, world: World, column: str, constraint: str) -> None:
    taken = db.value(f"SELECT {column} FROM users WHERE id = %s", [world.ann])
    with db.as_service(), db.refused(constraint, "23505"):
        add_user(db, **{column: taken})


@pytest.mark.rule("HUGO-02", "accepts")
def test_a_tier_is_free_premium_or_enterprise(db: Person) -> None:
    with db.as_service():
        user = add_user(db)
        assert db.value("SELECT subscription_tier FROM users WHERE id = %s", [user]) == "free"
        for tier in ("free", "premium", "enterprise"):
            assert db.value("UPDATE users SET subscription_tier = %s RETURNING subscription_tier", [tier]) == tier


@pytest.mark.rule("HUGO-02", "refuses")
@pytest.mark.parametrize("tier", ["", "gold", "Free", "free ", "premium,enterprise"])
def test_any_other_tier_is_refused(db: Person, tier: str) -> None:
    with db.as_service(), db.refused("users_subscription_tier_check", "23514"):
        add_user(db, subscription_tier=tier)


@pytest.mark.rule("HUGO-03", "accepts")
def test_retention_is_30_to_1825_days(db: Person, world: World) -> None:
    assert db.value("SELECT data_retention_days FROM users WHERE id = %s", [world.ann]) == 365
    with db.as_user(world.ann):
        for days in (30, 31, 1824, 1825):
            assert db.value("UPDATE users SET data_retention_days = %s RETURNING data_retention_days", [days]) == days


@pytest.mark.rule("HUGO-03", "refuses")
@pytest.mark.parametrize("days", [-1, 0, 29, 1826, 2147483647])
def test_retention_beyond_30_to_1825_days_is_refused(db: Person, world: World, days: int) -> None:
    with db.as_user(world.ann), db.refused("users_retention_check", "23514"):
        db.run("UPDATE users SET data_retention_days = %s", [days])


@pytest.mark.rule("HUGO-02", "refuses")
@pytest.mark.rule("HUGO-03", "refuses")
@pytest.mark.parametrize(
    "column", ["oriva_user_id", "email", "subscription_tier", "data_retention_days", "created_at", "updated_at"]
)
def test_what_every_user_has_cannot_be_null(db: Person, column: str) -> None:
    with db.as_service(), db.refused(sqlstate="23502") as caught:
        add_user(db, **{column: None})
    assert caught.value.diag.column_name == column


OLD = "2020-01-01 00:00:00+00"


def aged_rows(db: Person, world: World) -> dict[str, Any]:
    """One row of each table that says when it was changed, all changed long ago."""
    kb = insert(db, "knowledge_bases", kb_id="old_kb", title="Old", app_ids=["coach"], updated_at=OLD)
    return {
        "users": add_user(db, updated_at=OLD),
        "apps": insert(
            db, "apps", app_id="old", display_name="Old", domain="health", knowledge_base_ids=["old_kb"], updated_at=OLD
        ),
        "knowledge_entries": insert(
            db, "knowledge_entries", knowledge_base_id=world.kb, title="Old", content="Old", updated_at=OLD
        ),
        "knowledge_bases": kb,
        "personality_schemas": insert(
            db,
            "personality_schemas",
            schema_id="old",
            version="1.0.0",
            layer="base",
            created_by="ann",
            schema='{"tone": "warm", "focus": ["empathy"], "constraints": [], "examples": []}',
            updated_at=OLD,
        ),
        "user_progress": insert(db, "user_progress", user_id=world.ann, app_id=world.app, last_updated_at=OLD),
    }


def moved(db: Person, table: str, row: Any) -> bool:
    """Whether the row says that it was changed just now; else it must still say long ago."""
    column = "last_updated_at" if table == "user_progress" else "updated_at"
    now, old = db.row(f"SELECT {column} = now() AS now, {column} = %s AS old FROM {table} WHERE id = %s", [OLD, row])
    assert now or old
    return bool(now)


CHANGES = [
    ("users", 'preferences = \'{"theme": "dark"}\''),
    ("users", "email = 'new@example.org'"),
    ("users", "data_retention_days = 30, last_active_at = now()"),
    ("apps", "display_name = 'New'"),
    ("apps", "is_active = FALSE"),
    ("knowledge_bases", "title = 'New'"),
    ("knowledge_bases", "is_active = FALSE"),
    ("knowledge_entries", "content = 'New'"),
    ("knowledge_entries", "tags = '{new}'"),
    ("knowledge_entries", "title = 'New', access_count = 5"),
    ("knowledge_entries", "metadata = '{\"a\": 1}'"),
    ("personality_schemas", "ab_test_group = 'b'"),
    ("personality_schemas", "status = 'testing'"),
    ("user_progress", "current_focus_area = 'trust'"),
    ("user_progress", "milestones_reached = '{first}'"),
    ("user_progress", "progress_data = '{\"a\": 1}'"),
    # An update that changes nothing is an update.
    ("users", "email = email"),
    ("apps", "app_id = app_id"),
    ("knowledge_bases", "title = title"),
    ("personality_schemas", "version = version"),
    ("user_progress", "current_focus_area = current_focus_area"),
]


@pytest.mark.rule("HUGO-04", "accepts")
@pytest.mark.parametrize(("table", "change"), CHANGES)
def test_every_update_moves_updated_at(db: Person, world: World, table: str, change: str) -> None:
    row = aged_rows(db, world)[table]
    assert not moved(db, table, row)
    with db.as_service():
        assert db.run(f"UPDATE {table} SET {change} WHERE id = %s", [row]) == 1
    assert moved(db, table, row)


@pytest.mark.rule("HUGO-04", "refuses")
def test_counters_and_marks_of_access_do_not_move_updated_at(db: Person, world: World) -> None:
    rows = aged_rows(db, world)
    entry = rows["knowledge_entries"]
    with db.as_user(world.ann):
        say(db, begin(db, world.ann, world.app))
    with db.as_service():
        db.run("UPDATE users SET last_active_at = now() WHERE id = %s", [rows["users"]])
        insert(db, "knowledge_entries", knowledge_base_id=rows["knowledge_bases"], title="New", content="New")
        db.run("SELECT increment_ke_access(%s)", [entry])
        db.run("SELECT increment_knowledge_access(%s)", [[entry]])
        assert db.value("SELECT set_knowledge_vector(%s, 'key', knowledge_content_hash('Old', 'Old'))", [entry])
    counted = db.row(
        "SELECT ke.access_count, ke.vector_store_id, up.total_messages, kb.entry_count"
        " FROM knowledge_entries AS ke, user_progress AS up, knowledge_bases AS kb WHERE ke.id = %s AND kb.id = %s",
        [entry, rows["knowledge_bases"]],
    )
    assert counted == (2, "key", 1, 1)
    for table in ("users", "knowledge_entries", "knowledge_bases", "user_progress"):
        assert not moved(db, table, rows[table]), table


@pytest.mark.rule("HUGO-04", "refuses")
@pytest.mark.parametrize(
    "table", ["users", "apps", "knowledge_bases", "knowledge_entries", "personality_schemas", "user_progress"]
)
def test_nobody_sets_updated_at(db: Person, world: World, table: str) -> None:
    row = aged_rows(db, world)[table]
    column = "last_updated_at" if table == "user_progress" else "updated_at"
    with db.as_service():
        db.run(f"UPDATE {table} SET {column} = '1999-01-01' WHERE id = %s", [row])
    moved(db, table, row)


@pytest.mark.rule("HUGO-05", "accepts")
def test_a_token_for_either_id_shows_the_own_row(db: Person, world: World) -> None:
    oriva = db.value("SELECT oriva_user_id FROM users WHERE id = %s", [world.ann])
    for token in (world.ann, oriva):
        with db.as_user(token):
            assert db.value("SELECT current_user_id()") == world.ann
            assert db.value("SELECT email FROM users") == "ann@example.org"


@pytest.mark.rule("HUGO-05", "accepts")
def test_a_users_id_comes_before_an_oriva_user_id(db: Person, world: World) -> None:
    other = add_user(db, oriva_user_id=world.ann)
    with db.as_user(world.ann):
        assert db.value("SELECT current_user_id()") == world.ann
    with db.as_user(other):
        assert db.value("SELECT current_user_id()") == other


@pytest.mark.rule("HUGO-05", "refuses")
def test_a_stranger_is_nobody(db: Person, world: World) -> None:
    with db.as_user(uuid4()):
        assert db.value("SELECT current_user_id()") is None
        assert db.rows("SELECT * FROM users") == []
        assert db.run("UPDATE users SET preferences = NULL") == 0
    for claims in ("", '{"role": "authenticated"}', '{"sub": ""}', '{"sub": null}'):
        with db.as_user(uuid4()):
            db.run("SELECT set_config('request.jwt.claims', %s, TRUE)", [claims])
            assert db.value("SELECT current_user_id()") is None
            assert db.rows("SELECT * FROM users") == []
    with db.as_anon(), db.refused(sqlstate="42501"):
        db.run("SELECT * FROM users")


@pytest.mark.rule("HUGO-05", "accepts")
def test_users_change_preferences_retention_and_activity_of_their_own(db: Person, world: World) -> None:
    with db.as_user(world.ann):
        changed = db.row(
            'UPDATE users SET preferences = \'{"theme": "dark"}\', data_retention_days = 90, last_active_at = now()'
            " RETURNING id, preferences, data_retention_days, last_active_at = now() AS active"
        )
    assert changed == (world.ann, {"theme": "dark"}, 90, True)
    assert db.value("SELECT data_retention_days FROM users WHERE id = %s", [world.bob]) == 365


@pytest.mark.rule("HUGO-05", "accepts")
def test_a_user_may_send_the_whole_row_back(db: Person, world: World) -> None:
    with db.as_user(world.ann):
        row = db.row("SELECT * FROM users")._asdict()
        del row["preferences"], row["data_retention_days"]
        settings = ", ".join(f"{name} = %({name})s" for name in row)
        assert (
            db.value(f"UPDATE users SET {settings}, data_retention_days = 60 RETURNING data_retention_days", row) == 60
        )


AUTHORITY = {
    "id": "gen_random_uuid()",
    "oriva_user_id": "gen_random_uuid()",
    "email": "'x@y.zz'",
    "subscription_tier": "'premium'",
}


@pytest.mark.rule("HUGO-05", "refuses")
@pytest.mark.parametrize("column", AUTHORITY)
def test_identity_and_tier_change_only_through_the_service(db: Person, world: World, column: str) -> None:
    with db.as_user(world.ann), db.refused("users_authority_check", "42501"):
        db.run(f"UPDATE users SET preferences = '{{}}', {column} = {AUTHORITY[column]}")
    with db.as_service():
        assert db.run(f"UPDATE users SET {column} = {AUTHORITY[column]} WHERE id = %s", [world.ann]) == 1


@pytest.mark.rule("HUGO-05", "refuses")
def test_the_time_of_registration_is_kept_whatever_is_sent(db: Person, world: World) -> None:
    before = db.value("SELECT created_at FROM users WHERE id = %s", [world.ann])
    with db.as_user(world.ann):
        assert db.value("UPDATE users SET created_at = '1999-01-01' RETURNING created_at") == before
    with db.as_service():
        db.run("UPDATE users SET created_at = '1999-01-01' WHERE id = %s", [world.ann])
    assert db.value("SELECT created_at FROM users WHERE id = %s", [world.ann]) == before


@pytest.mark.rule("HUGO-05", "refuses")
@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO users (oriva_user_id, email) VALUES (gen_random_uuid(), 'new@example.org')",
        "INSERT INTO users (id, oriva_user_id, email) VALUES (current_user_id(), gen_random_uuid(), 'n@example.org')"
        " ON CONFLICT (id) DO UPDATE SET subscription_tier = 'enterprise'",
        "DELETE FROM users",
        "TRUNCATE users CASCADE",
    ],
)
def test_users_neither_register_nor_remove_people(db: Person, world: World, statement: str) -> None:
    with db.as_user(world.ann), db.refused(sqlstate="42501"):
        db.run(statement)
