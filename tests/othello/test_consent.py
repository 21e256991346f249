"""Consent: tiers and their order, the log of every change, what a tier allows, and that the log stays."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from itertools import product
from typing import Any

import pytest
from psycopg.types.json import Jsonb

from tests.othello.world import World, begin, build_world, propose, say, set_tier, validate
from tests.people import Person, blocked, insert

SCOPES = ["global", "scheduling", "communication", "health", "finance", "social", "goal_coaching"]
TIERS = ["passive", "suggestive", "active", "autonomous"]

# Every test of the log begins with this tier of Ann's in scope health.
BEFORE, SETTINGS = "suggestive", {"hours": [9, 17], "sound": None}


def actor_of(db: Person, world: World, who: str) -> AbstractContextManager[Any]:
    return {"user": lambda: world.ann.acting(db), "service": db.as_service, "owner": nullcontext}[who]()


@pytest.fixture(params=["user", "service", "owner"])
def acting(request: pytest.FixtureRequest, db: Person, world: World) -> Callable[[], AbstractContextManager[Any]]:
    """Ann herself, the service on her behalf, the database's owner: what holds for all holds for each."""
    return lambda: actor_of(db, world, request.param)


@pytest.fixture
def tier(db: Person, world: World) -> int:
    """Ann's active tier in scope health, as it came to be in an earlier transaction."""
    row: int = db.value(
        "UPDATE consent_tiers SET tier_level = %s, settings_data = %s WHERE user_id = %s AND scope = 'health'"
        " RETURNING id",
        [BEFORE, Jsonb(SETTINGS), world.ann.id],
    )
    db.run("UPDATE consent_logs SET created_at = created_at - interval '1 day'")
    return row


def written(db: Person, since: int) -> list[tuple[Any, ...]]:
    """What was logged after the row of this id, oldest first."""
    return [
        tuple(row)
        for row in db.rows(
            "SELECT action, previous_value, new_value, metadata FROM consent_logs WHERE id > %s ORDER BY id", [since]
        )
    ]


def last_log(db: Person) -> int:
    return db.value("SELECT coalesce(max(id), 0) FROM consent_logs")


# One active tier for each user and scope


@pytest.mark.rule("OTH-08", "accepts")
def test_tiers_are_ordered_from_passive_to_autonomous(db: Person, world: World) -> None:
    assert [row.tier for row in db.rows("SELECT unnest(enum_range(NULL::consent_tier_level)) AS tier")] == TIERS


@pytest.mark.rule("OTH-08", "refuses")
def test_another_tier_is_refused(
    db: Person, world: World, acting: Callable[[], AbstractContextManager[Any]], tier: int
) -> None:
    with acting(), db.refused(sqlstate="22P02"):
        db.run("UPDATE consent_tiers SET tier_level = 'aggressive' WHERE id = %s", [tier])


@pytest.mark.rule("OTH-08", "refuses")
def test_a_second_active_tier_in_a_scope_is_refused(
    db: Person, world: World, acting: Callable[[], AbstractContextManager[Any]], tier: int
) -> None:
    with acting():
        with db.refused("idx_consent_tiers_user_scope", "23505"):
            insert(db, "consent_tiers", user_id=world.ann.id, scope="health", tier_level="active")
        history = insert(db, "consent_tiers", user_id=world.ann.id, scope="health", is_active=False)
        with db.refused("idx_consent_tiers_user_scope"):
            db.run("UPDATE consent_tiers SET is_active = TRUE WHERE id = %s", [history])


@pytest.mark.rule("OTH-08", "accepts")
def test_inactive_tiers_are_kept_beside_the_active_one(
    db: Person, world: World, acting: Callable[[], AbstractContextManager[Any]], tier: int
) -> None:
    with acting():
        for _ in range(2):
            insert(db, "consent_tiers", user_id=world.ann.id, scope="health", is_active=False)
        rows = db.rows(
            "SELECT is_active, count(*) FROM consent_tiers WHERE user_id = %s AND scope = 'health'"
            " GROUP BY is_active ORDER BY is_active",
            [world.ann.id],
        )
        assert rows == [(False, 2), (True, 1)]


@pytest.mark.rule("OTH-08", "accepts")
def test_a_tier_is_passive_and_active_unless_said_otherwise(db: Person, world: World, tier: int) -> None:
    with world.ann.acting(db):
        db.run("UPDATE consent_tiers SET is_active = FALSE WHERE id = %s", [tier])
        new = insert(db, "consent_tiers", user_id=world.ann.id, scope="health")
        row = db.row("SELECT tier_level, is_active, settings_data FROM consent_tiers WHERE id = %s", [new])
    assert row == ("passive", True, None)


@pytest.mark.rule("OTH-08", "accepts")
def test_users_do_not_date_their_tiers(db: Person, world: World) -> None:
    with world.ann.acting(db):
        tier = insert(db, "consent_tiers", user_id=world.ann.id, scope="health", is_active=False, created_at="epoch")
        assert db.value("SELECT created_at = now() FROM consent_tiers WHERE id = %s", [tier])
        db.run("UPDATE consent_tiers SET created_at = 'epoch' WHERE id = %s", [tier])
        assert db.value("SELECT created_at = now() FROM consent_tiers WHERE id = %s", [tier])


@pytest.mark.rule("OTH-08", "refuses")
def test_a_tier_in_an_unknown_scope_is_refused(
    db: Person, world: World, acting: Callable[[], AbstractContextManager[Any]]
) -> None:
    with acting(), db.refused("consent_tiers_scope_fkey", "23503"):
        insert(db, "consent_tiers", user_id=world.ann.id, scope="romance")


@pytest.mark.rule("OTH-08", "refuses")
def test_a_tier_of_nobody_is_refused(db: Person, world: World) -> None:
    with db.as_service(), db.refused("consent_tiers_user_id_fkey", "23503"):
        insert(db, "consent_tiers", user_id=-1, scope="health", is_active=False)


@pytest.mark.rule("OTH-08", "refuses")
@pytest.mark.parametrize("column", ["user_id", "tier_level", "scope", "is_active", "created_at", "updated_at"])
def test_what_every_tier_has_cannot_be_null(db: Person, world: World, column: str) -> None:
    columns = {"user_id": world.ann.id, "scope": "health", "is_active": False, column: None}
    with db.as_service(), db.refused(sqlstate="23502") as caught:
        insert(db, "consent_tiers", **columns)
    assert caught.value.diag.column_name == column


@pytest.mark.rule("OTH-08", "refuses")
@pytest.mark.parametrize("column", ["id", "user_id", "scope"])
def test_whose_and_what_a_tier_is_for_never_changes(
    db: Person, world: World, acting: Callable[[], AbstractContextManager[Any]], tier: int, column: str
) -> None:
    other = {"id": -1, "user_id": world.bob.id, "scope": "finance"}[column]
    with acting():
        with db.refused("consent_tiers_immutable_check", "23514"):
            db.run(f"UPDATE consent_tiers SET {column} = %s WHERE id = %s", [other, tier])
        assert db.run(f"UPDATE consent_tiers SET {column} = {column} WHERE id = %s", [tier]) == 1


# Every change is written down, once. The statements of a case run in one transaction.

WHERE = "WHERE user_id = %(user)s AND scope = 'health'"
END = f"UPDATE consent_tiers SET is_active = FALSE {WHERE} AND is_active"
DELETE = f"DELETE FROM consent_tiers {WHERE} AND is_active"
SAME, OTHER = """'{"hours": [9, 17], "sound": null}'""", """'{"hours": []}'"""


def change(assignments: str) -> str:
    return f"UPDATE consent_tiers SET {assignments} {WHERE} AND is_active"


def start(tier: str, settings: str = SAME) -> str:
    return (
        "INSERT INTO consent_tiers (user_id, scope, tier_level, settings_data)"
        f" VALUES (%(user)s, 'health', '{tier}', {settings})"
    )


def restart(more: str = "") -> str:
    return f"UPDATE consent_tiers SET is_active = TRUE{more} WHERE id = %(id)s"


Logged = tuple[str, str | None, str | None, dict[str, Any] | None]


def moved(new: str | None, previous: str | None = BEFORE, metadata: dict[str, Any] | None = None) -> Logged:
    return ("tier_changed", previous, new, metadata)


def updated(new: Any, previous: Any = SETTINGS) -> Logged:
    return ("settings_updated", None, None, {"previous_settings": previous, "new_settings": new})


ENDED = moved(None, metadata={"previous_settings": SETTINGS})
UPDATED = updated({"hours": []})

CHANGES: dict[str, tuple[list[str], list[Logged]]] = {
    # By plain UPDATE.
    "tier": ([change("tier_level = 'active'")], [moved("active")]),
    "lower tier": ([change("tier_level = 'passive'")], [moved("passive")]),
    "settings": ([change(f"settings_data = {OTHER}")], [UPDATED]),
    "settings taken away": ([change("settings_data = NULL")], [updated(None)]),
    "both": ([change(f"tier_level = 'active', settings_data = {OTHER}")], [moved("active"), UPDATED]),
    "nothing": ([change(f"tier_level = tier_level, settings_data = {SAME}")], []),
    "there and back": (
        [change("tier_level = 'active'"), change("tier_level = 'suggestive'")],
        [moved("active"), moved("suggestive", "active")],
    ),
    # By ending one tier and starting another.
    "end, tier": ([END, start("active")], [moved("active")]),
    "end, both": ([END, start("active", OTHER)], [moved("active"), UPDATED]),
    "end, tier without settings": ([END, start("active", "NULL")], [moved("active"), updated(None)]),
    "end, settings": ([END, start("suggestive", OTHER)], [UPDATED]),
    "end, nothing": ([END, start("suggestive")], []),
    "delete, tier": ([DELETE, start("active")], [moved("active")]),
    "delete, both": ([DELETE, start("active", OTHER)], [moved("active"), UPDATED]),
    "delete, settings": ([DELETE, start("suggestive", OTHER)], [UPDATED]),
    "delete, nothing": ([DELETE, start("suggestive")], []),
    "no settings, end, nothing": (
        [change("settings_data = NULL"), END, start("suggestive", "NULL")],
        [updated(None)],
    ),
    "no settings, end, settings": (
        [change("settings_data = NULL"), END, start("suggestive", OTHER)],
        [updated(None), updated({"hours": []}, None)],
    ),
    "tier, end, tier": (
        [change("tier_level = 'active'"), END, start("autonomous")],
        [moved("active"), moved("autonomous", "active")],
    ),
    "end, tier, end, tier": (
        [END, start("active"), END, start("passive")],
        [moved("active"), moved("passive", "active")],
    ),
    "end, tier, end": (
        [END, start("active", OTHER), END],
        [moved("active"), UPDATED, moved(None, "active", {"previous_settings": {"hours": []}})],
    ),
    # Ending only, and coming back.
    "end": ([END], [ENDED]),
    "delete": ([DELETE], [ENDED]),
    "end with another tier": ([change("is_active = FALSE, tier_level = 'autonomous'")], [ENDED]),
    "end, come back": ([END, restart()], []),
    "end, come back with tier": ([END, restart(", tier_level = 'passive'")], [moved("passive")]),
    "end, come back with settings": ([END, restart(f", settings_data = {OTHER}")], [UPDATED]),
    # What is inactive is history, and its changes are none of consent.
    "history": (
        [
            start("active").replace("(user_id", "(is_active, user_id").replace("(%(user)s", "(FALSE, %(user)s"),
            f"UPDATE consent_tiers SET tier_level = 'autonomous', settings_data = NULL {WHERE} AND NOT is_active",
            f"DELETE FROM consent_tiers {WHERE} AND NOT is_active",
        ],
        [],
    ),
    # In one statement.
    "upsert": (
        [
            f"{start('active', OTHER)} ON CONFLICT (user_id, scope) WHERE is_active = TRUE DO UPDATE"
            " SET tier_level = excluded.tier_level, settings_data = excluded.settings_data"
        ],
        [moved("active"), UPDATED],
    ),
    "end and start at once": (
        [
            f"WITH ended AS ({END} RETURNING user_id, scope, settings_data)"
            " INSERT INTO consent_tiers (user_id, scope, tier_level, settings_data)"
            " SELECT e.user_id, e.scope, 'active', e.settings_data FROM ended AS e"
        ],
        [moved("active")],
    ),
}


@pytest.mark.rule("OTH-09", "accepts")
@pytest.mark.parametrize("who", ["user", "service", "owner"])
@pytest.mark.parametrize("case", CHANGES)
def test_every_change_is_logged_once(db: Person, world: World, tier: int, who: str, case: str) -> None:
    statements, expected = CHANGES[case]
    since = last_log(db)
    for step in (nullcontext, db.conn.transaction):  # at once, and each in a savepoint of its own
        with db.conn.transaction(force_rollback=True):
            with actor_of(db, world, who):
                for sql in statements:
                    with step():
                        assert db.run(sql, {"user": world.ann.id, "id": tier}) == 1
            assert written(db, since) == expected
            whose = db.rows(
                "SELECT user_id, scope, created_at = now() AS now FROM consent_logs WHERE id > %s"
                " AND reason IS NULL AND agent_activity_id IS NULL",
                [since],
            )
            assert whose == [(world.ann.id, "health", True)] * len(expected)


@pytest.mark.rule("OTH-09", "refuses")
@pytest.mark.parametrize("settings", ["null", '{"a": null}', '{"a": {"b": null}}', "[null]"])
def test_settings_with_nulls_in_them_are_the_same_afterwards(
    db: Person, world: World, tier: int, settings: str
) -> None:
    db.run("UPDATE consent_tiers SET settings_data = %s WHERE id = %s", [settings, tier])
    since = last_log(db)
    with world.ann.acting(db):
        db.run(END, {"user": world.ann.id})
        assert db.value(
            "SELECT metadata -> 'previous_settings' = %s::jsonb FROM consent_logs WHERE id > %s", [settings, since]
        )
        db.run(start("suggestive", f"'{settings}'"), {"user": world.ann.id})
    assert written(db, since) == []


@pytest.mark.rule("OTH-09", "accepts")
def test_a_log_row_names_the_tier_that_came_of_it(db: Person, world: World, tier: int) -> None:
    tiers = []
    with world.ann.acting(db):
        set_tier(db, world.ann, "health", "active")
        for _ in range(2):
            db.run(END, {"user": world.ann.id})
            tiers.append(insert(db, "consent_tiers", user_id=world.ann.id, scope="health", settings_data="{}"))
        db.run(END, {"user": world.ann.id})
        db.run("UPDATE consent_tiers SET is_active = TRUE, tier_level = 'active' WHERE id = %s", [tier])
        db.run(DELETE, {"user": world.ann.id})
    logs = db.rows("SELECT action, consent_tier_id FROM consent_logs WHERE created_at = now() ORDER BY id")
    assert logs == [
        ("tier_changed", None),  # of the tier deleted in the end
        ("tier_changed", tiers[0]),
        ("settings_updated", tiers[0]),
        ("tier_changed", None),
        ("settings_updated", None),
        ("tier_changed", None),
    ]


@pytest.mark.rule("OTH-09", "accepts")
def test_the_end_of_a_tier_names_it(db: Person, world: World, tier: int) -> None:
    since = last_log(db)
    with world.ann.acting(db):
        db.run(END, {"user": world.ann.id})
    assert db.rows("SELECT consent_tier_id FROM consent_logs WHERE id > %s", [since]) == [(tier,)]


@pytest.mark.rule("OTH-09", "refuses")
def test_what_else_is_logged_between_end_and_start_stays_as_it_is(db: Person, world: World, tier: int) -> None:
    activity = propose(db, world.ann, payload=Jsonb({"scope": "health"}))
    db.run("INSERT INTO consent_scopes (scope, description) VALUES ('travel', 'Journeys.')")
    since = last_log(db)
    with world.ann.acting(db):
        db.run(END, {"user": world.ann.id})
        db.run("SELECT respond_to_activity(%s, 'approved')", [activity])
        insert(db, "consent_tiers", user_id=world.ann.id, scope="travel", tier_level="autonomous")
        db.run(start("active"), {"user": world.ann.id})
    assert written(db, since) == [moved("active"), ("approved", None, None, None), moved("autonomous", None)]


@pytest.mark.rule("OTH-09", "accepts")
def test_two_scopes_at_once_are_two_changes(
    db: Person, world: World, acting: Callable[[], AbstractContextManager[Any]], tier: int
) -> None:
    set_tier(db, world.ann, "finance", "autonomous")
    set_tier(db, world.bob, "health", "active")
    db.run("UPDATE consent_logs SET created_at = created_at - interval '1 day'")
    since = last_log(db)
    with acting():
        ended = "UPDATE consent_tiers SET is_active = FALSE WHERE user_id = %s AND scope IN ('health', 'finance')"
        assert db.run(ended, [world.ann.id]) == 2
        db.run(
            "INSERT INTO consent_tiers (user_id, scope, tier_level) SELECT %s, s, 'active'"
            " FROM unnest(ARRAY['finance', 'health']) AS s",
            [world.ann.id],
        )
    rows = db.rows(
        "SELECT user_id, scope, action, previous_value, new_value FROM consent_logs WHERE id > %s"
        " ORDER BY scope, action",
        [since],
    )
    assert rows == [
        (world.ann.id, "finance", "tier_changed", "autonomous", "active"),
        (world.ann.id, "health", "tier_changed", BEFORE, "active"),
        (world.ann.id, "health", "settings_updated", None, None),
    ]


@pytest.mark.rule("OTH-09", "refuses")
def test_a_tier_of_another_user_does_not_complete_the_row(db: Person, world: World, tier: int) -> None:
    since = last_log(db)
    with db.as_service():
        for user in (world.ann, world.bob):
            db.run(END, {"user": user.id})
        db.run(start("active"), {"user": world.ann.id})
    assert db.rows(
        "SELECT user_id, previous_value, new_value FROM consent_logs WHERE id > %s ORDER BY id", [since]
    ) == [
        (world.ann.id, BEFORE, "active"),
        (world.bob.id, "passive", None),
    ]


@pytest.mark.rule("OTH-09", "accepts")
@pytest.mark.parametrize("who", ["user", "service", "owner"])
@pytest.mark.parametrize("ending", [END, DELETE])
def test_what_ends_and_begins_in_two_transactions_is_two_changes(
    connect: Callable[[], Person], who: str, ending: str
) -> None:
    session = connect()
    world = build_world(session)
    set_tier(session, world.ann, "health", BEFORE)
    since = last_log(session)
    with actor_of(session, world, who):
        session.run(ending, {"user": world.ann.id})
        assert written(session, since) == [moved(None)]
        session.run(start("active"), {"user": world.ann.id})
    assert written(session, since) == [moved(None), moved("active", None)]


@pytest.mark.rule("OTH-09", "accepts")
def test_a_tier_that_comes_back_later_is_a_change_from_none(db: Person, world: World, tier: int) -> None:
    db.run(END, {"user": world.ann.id})
    db.run("UPDATE consent_logs SET created_at = created_at - interval '1 day'")
    since = last_log(db)
    with world.ann.acting(db):
        db.run(restart(), {"id": tier})
    assert written(db, since) == [moved(BEFORE, None)]


@pytest.mark.rule("OTH-09", "accepts")
def test_a_first_tier_in_a_new_scope_is_a_change(
    db: Person, world: World, acting: Callable[[], AbstractContextManager[Any]]
) -> None:
    db.run("INSERT INTO consent_scopes (scope, description) VALUES ('travel', 'Journeys.')")
    since = last_log(db)
    with acting():
        insert(db, "consent_tiers", user_id=world.ann.id, scope="travel", settings_data="{}")
    assert written(db, since) == [moved("passive", None)]


@pytest.mark.rule("OTH-09", "refuses")
def test_the_tiers_a_new_user_begins_with_are_no_change(db: Person, world: World) -> None:
    assert db.value("SELECT count(*) FROM consent_tiers WHERE user_id = %s", [world.ann.id]) == len(SCOPES)
    assert db.value("SELECT count(*) FROM consent_logs") == 0


@pytest.mark.rule("OTH-09", "accepts")
def test_a_tier_that_a_trigger_raises_is_logged(db: Person, world: World) -> None:
    db.run(
        """
        CREATE FUNCTION trust() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO consent_scopes VALUES ('travel', 'Journeys.');
            INSERT INTO consent_tiers (user_id, scope, tier_level) VALUES (new.user_id, 'travel', 'suggestive');
            RETURN new;
        END $$;
        CREATE TRIGGER trust AFTER INSERT ON user_preferences FOR EACH ROW EXECUTE FUNCTION trust()
        """
    )
    since = last_log(db)
    insert(db, "user_preferences", user_id=world.ann.id, preference_key="k", preference_value="v")
    assert written(db, since) == [moved("suggestive", None)]


@pytest.mark.rule("OTH-09", "refuses")
def test_what_is_undone_is_not_logged(db: Person, world: World, tier: int) -> None:
    since = last_log(db)
    with world.ann.acting(db):
        db.run("SAVEPOINT before")
        db.run(END, {"user": world.ann.id})
        db.run(start("active"), {"user": world.ann.id})
        db.run("ROLLBACK TO SAVEPOINT before")
    assert written(db, since) == []


@pytest.mark.rule("OTH-09", "accepts")
def test_a_deleted_user_takes_tiers_and_log_along(db: Person, world: World, tier: int) -> None:
    set_tier(db, world.bob, "health", "active")
    with db.as_service():
        db.run(DELETE, {"user": world.ann.id})
        assert db.run("DELETE FROM users WHERE id = %s", [world.ann.id]) == 1
    for table in ("consent_tiers", "consent_logs"):
        assert {row.user_id for row in db.rows(f"SELECT user_id FROM {table}")} == {world.bob.id}


# What a tier allows at the moment


def effective(db: Person, world: World, scope: str | None = "health") -> str:
    return db.value("SELECT effective_tier(%s, %s)", [world.ann.id, scope])


@pytest.mark.rule("OTH-10", "accepts")
def test_the_tier_of_the_scope_counts(
    db: Person, world: World, acting: Callable[[], AbstractContextManager[Any]]
) -> None:
    set_tier(db, world.bob, "health", "autonomous")
    for everywhere, scoped in product(TIERS, TIERS):
        set_tier(db, world.ann, "global", everywhere)
        set_tier(db, world.ann, "health", scoped)
        with acting():
            assert effective(db, world) == scoped
            assert effective(db, world, "global") == everywhere


@pytest.mark.rule("OTH-10", "accepts")
@pytest.mark.parametrize("ending", [END, DELETE])
def test_global_counts_where_the_scope_has_no_active_tier(
    db: Person, world: World, acting: Callable[[], AbstractContextManager[Any]], ending: str
) -> None:
    set_tier(db, world.ann, "global", "active")
    set_tier(db, world.ann, "health", "autonomous")
    with acting():
        db.run(ending, {"user": world.ann.id})
        assert effective(db, world) == "active"
        assert effective(db, world, "finance") == "passive"


@pytest.mark.rule("OTH-10", "refuses")
def test_without_any_active_tier_it_is_passive(
    db: Person, world: World, acting: Callable[[], AbstractContextManager[Any]]
) -> None:
    for scope in ("global", "health"):
        set_tier(db, world.ann, scope, "autonomous")
    with acting():
        db.run("UPDATE consent_tiers SET is_active = FALSE WHERE user_id = %s", [world.ann.id])
        assert [effective(db, world, scope) for scope in ("global", "health", "romance", None)] == ["passive"] * 4


@pytest.mark.rule("OTH-10", "refuses")
def test_the_tier_of_another_user_looks_like_that_of_nobody(db: Person, world: World) -> None:
    for scope in ("global", "health"):
        set_tier(db, world.ann, scope, "autonomous")
    with world.bob.acting(db):
        assert effective(db, world) == db.value("SELECT effective_tier(-1, 'health')") == "passive"
    with db.as_anon(), db.refused(sqlstate="42501"):
        effective(db, world)


# The log stays


@pytest.fixture
def logs(db: Person, world: World) -> None:
    """A row in each log of Ann's."""
    set_tier(db, world.ann, "health", "active")
    validate(db, world.ann, message_id=say(db, begin(db, world.ann)), agent_activity_id=propose(db, world.ann))


@pytest.mark.rule("OTH-11", "refuses")
@pytest.mark.parametrize("table", ["consent_logs", "ethical_validations"])
@pytest.mark.parametrize("sql", ["UPDATE {} SET id = id", "DELETE FROM {}", "TRUNCATE {}", "LOCK {} IN EXCLUSIVE MODE"])
@pytest.mark.parametrize("who", ["user", "service", "anon"])
def test_nobody_changes_or_removes_a_log(db: Person, world: World, logs: None, table: str, sql: str, who: str) -> None:
    before = db.rows(f"SELECT * FROM {table} ORDER BY id")
    assert before
    with db.as_anon() if who == "anon" else actor_of(db, world, who), db.refused(sqlstate="42501"):
        db.run(sql.format(table))
    assert db.rows(f"SELECT * FROM {table} ORDER BY id") == before


@pytest.mark.rule("OTH-11", "refuses")
@pytest.mark.parametrize("table", ["conversations", "messages", "agent_activities"])
@pytest.mark.parametrize("sql", ["DELETE FROM {}", "TRUNCATE {} CASCADE"])
@pytest.mark.parametrize("who", ["user", "service", "anon"])
def test_nobody_deletes_what_the_logs_hang_on(
    db: Person, world: World, logs: None, table: str, sql: str, who: str
) -> None:
    with db.as_anon() if who == "anon" else actor_of(db, world, who), db.refused(sqlstate="42501"):
        db.run(sql.format(table))


@pytest.mark.rule("OTH-11", "refuses")
@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO consent_logs (user_id, action) VALUES (%(user)s, 'approved')",
        "INSERT INTO ethical_validations (user_id, agent_activity_id, result)"
        " SELECT a.user_id, a.id, 'passed' FROM agent_activities AS a",
    ],
)
def test_users_do_not_write_into_the_logs(db: Person, world: World, logs: None, sql: str) -> None:
    with world.ann.acting(db), db.refused(sqlstate="42501"):
        db.run(sql, {"user": world.ann.id})
    with db.as_service():
        assert db.run(sql, {"user": world.ann.id}) == 1


@pytest.mark.rule("OTH-11", "refuses")
def test_a_log_row_is_about_its_own_user(db: Person, world: World) -> None:
    theirs = {
        "agent_activity_id": propose(db, world.bob),
        "consent_tier_id": db.value(
            "SELECT id FROM consent_tiers WHERE user_id = %s AND scope = 'health'", [world.bob.id]
        ),
    }
    with db.as_service():
        for column, row in theirs.items():
            with db.refused(f"consent_logs_{column}_fkey", "23503"):
                insert(db, "consent_logs", user_id=world.ann.id, action="approved", **{column: row})
            insert(db, "consent_logs", user_id=world.bob.id, action="approved", **{column: row})
        with db.refused("consent_logs_user_id_fkey", "23503"):
            insert(db, "consent_logs", user_id=-1, action="approved")


@pytest.mark.rule("OTH-11", "refuses")
@pytest.mark.parametrize("column", ["user_id", "action", "created_at"])
def test_what_every_log_row_has_cannot_be_null(db: Person, world: World, column: str) -> None:
    columns = {"user_id": world.ann.id, "action": "approved", column: None}
    with db.as_service(), db.refused(sqlstate="23502") as caught:
        insert(db, "consent_logs", **columns)
    assert caught.value.diag.column_name == column


@pytest.mark.rule("OTH-11", "accepts")
def test_a_deleted_tier_leaves_its_log(
    db: Person, world: World, acting: Callable[[], AbstractContextManager[Any]], tier: int
) -> None:
    set_tier(db, world.ann, "health", "active")
    with acting():
        assert db.run("DELETE FROM consent_tiers WHERE id = %s", [tier]) == 1
    rows = db.rows(
        "SELECT user_id, previous_value, new_value, consent_tier_id FROM consent_logs"
        " WHERE action = 'tier_changed' ORDER BY id"
    )
    assert rows == [
        (world.ann.id, "passive", BEFORE, None),
        (world.ann.id, BEFORE, "active", None),
        (world.ann.id, "active", None, None),
    ]


@pytest.mark.rule("OTH-11", "accepts")
def test_an_activity_the_owner_deletes_leaves_the_answers_to_it(db: Person, world: World) -> None:
    activity = propose(db, world.ann)
    with world.ann.acting(db):
        db.run("SELECT respond_to_activity(%s, 'approved', 'Fine')", [activity])
    assert db.run("DELETE FROM agent_activities WHERE id = %s", [activity]) == 1
    assert db.rows("SELECT user_id, agent_activity_id, reason FROM consent_logs") == [(world.ann.id, None, "Fine")]


@pytest.mark.rule("OTH-11", "accepts")
def test_the_logs_go_with_their_user(db: Person, world: World, logs: None) -> None:
    propose(db, world.bob)
    set_tier(db, world.bob, "health", "active")
    with db.as_service():
        assert db.run("DELETE FROM users WHERE id = %s", [world.ann.id]) == 1
    assert db.value("SELECT count(*) FROM ethical_validations") == 0
    assert {row.user_id for row in db.rows("SELECT user_id FROM consent_logs")} == {world.bob.id}


# Sessions that meet


@pytest.mark.rule("OTH-09", "accepts")
def test_two_sessions_that_change_several_tiers_do_not_wait_in_a_circle(connect: Callable[[], Person]) -> None:
    one, two = connect(), connect()
    world = build_world(one)
    with world.ann.acting(one), world.ann.acting(two):
        one.run("BEGIN")
        set_tier(one, world.ann, "health", "active")
        later = """
            UPDATE consent_tiers SET tier_level = 'autonomous' WHERE scope = 'finance';
            UPDATE consent_tiers SET tier_level = 'autonomous' WHERE scope = 'health'
        """
        with blocked(two, one, later) as outcome:
            set_tier(one, world.ann, "finance", "active")
            one.run("COMMIT")
        outcome.result()
    rows = one.rows("SELECT scope, previous_value, new_value FROM consent_logs ORDER BY id")
    assert rows == [
        ("health", "passive", "active"),
        ("finance", "passive", "active"),
        ("finance", "active", "autonomous"),
        ("health", "active", "autonomous"),
    ]


@pytest.mark.rule("OTH-09", "accepts")
@pytest.mark.parametrize("ending", [END, DELETE])
def test_a_tier_that_another_session_ends_and_this_one_begins_is_two_changes(
    connect: Callable[[], Person], ending: str
) -> None:
    one, two = connect(), connect()
    world = build_world(one)
    set_tier(one, world.ann, "health", BEFORE)
    since = last_log(one)
    one.run("BEGIN")
    one.run(ending, {"user": world.ann.id})
    with blocked(two, one, start("active").replace("%(user)s", str(world.ann.id))) as outcome:
        one.run("COMMIT")
    assert outcome.result() == 1
    assert written(one, since) == [moved(None), moved("active", None)]
