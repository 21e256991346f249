"""Profiles and counters: what people say of themselves, and what only a service or the database writes."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.aurum.world import World, add_task
from tests.people import Person, insert

TIERS = ["standard", "premium", "enterprise"]
KEPT = {"total_focus_hours": "7.5", "average_daily_completion_rate": "0.75", "created_at": "2020-01-01Z"}


def profile(db: Person, id: UUID) -> Any:
    return db.row("SELECT * FROM user_profiles WHERE id = %s", [id])


def join(db: Person) -> UUID:
    """Insert a user who has no profile yet."""
    return db.value("INSERT INTO auth.users (email) VALUES (%s) RETURNING id", [f"{uuid4()}@example.org"])


@pytest.mark.rule("AUR-13", "accepts")
def test_a_profile_begins_with_what_most_people_have(db: Person) -> None:
    carol = join(db)
    with db.as_user(carol):
        insert(db, "user_profiles", id=carol)
        row = profile(db, carol)
    assert (row.user_tier, row.timezone, row.preferred_working_hours) == (
        *("standard", "UTC"),
        {"start": "09:00", "end": "17:00"},
    )
    assert (row.longest_streak, row.total_focus_hours, row.average_daily_completion_rate) == (0, 0, 0)
    assert (row.ai_onboarding_completed, row.ai_features_enabled, row.last_activity_at) == (False, True, None)


# Working hours

HOURS = [
    {"start": "00:00", "end": "23:59"},
    {"start": "09:30", "end": "09:30"},
    {"start": "22:00", "end": "06:00"},
    {"start": "19:59", "end": "20:00", "days": ["Mon"]},
]


@pytest.mark.rule("AUR-13", "accepts")
@pytest.mark.parametrize("hours", HOURS)
def test_working_hours_have_start_and_end(db: Person, world: World, hours: dict[str, Any]) -> None:
    with db.as_user(world.ann.id):
        found = db.value(
            "UPDATE user_profiles SET preferred_working_hours = jsonb_build_object('start', %s::text, 'end', %s::text)"
            " RETURNING preferred_working_hours",
            [hours["start"], hours["end"]],
        )
    assert (found["start"], found["end"]) == (hours["start"], hours["end"])
    assert db.value("SELECT is_working_hours(%s::jsonb)", [str(hours).replace("'", '"')])


@pytest.mark.rule("AUR-13", "refuses")
@pytest.mark.parametrize(
    "hours",
    [
        *("{}", "null", "[]", '"09:00"', '["09:00", "17:00"]', '{"start": "09:00"}', '{"end": "17:00"}'),
        *(f'{{"start": {time}, "end": "17:00"}}' for time in ("null", "9", '""', '"9:00"', '"24:00"', '"09:60"', "[]")),
        *(f'{{"start": "09:00", "end": {time}}}' for time in ('"17:00:00"', '" 17:00"', '"17:00\\n"', '"1700"', "{}")),
        *(f'{{"start": "09:00", "end": {time}}}' for time in ("null", '"5 pm"', '"-1:00"', '"\\u0661\\u0667:00"')),
    ],
)
def test_other_working_hours_are_refused(db: Person, world: World, hours: str) -> None:
    carol = join(db)
    for act in (db.as_user(world.ann.id), db.as_service()):
        with act, db.refused("user_profiles_preferred_working_hours_check"):
            db.run("UPDATE user_profiles SET preferred_working_hours = %s WHERE id = %s", [hours, world.ann.id])
    with db.as_user(carol), db.refused("user_profiles_preferred_working_hours_check"):
        insert(db, "user_profiles", id=carol, preferred_working_hours=hours)


# Time zones


@pytest.mark.rule("AUR-13", "accepts")
@pytest.mark.parametrize(
    "zone", ["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Etc/GMT+5", "Asia/Kolkata"]
)
def test_a_known_time_zone(db: Person, world: World, zone: str) -> None:
    with db.as_user(world.ann.id):
        assert db.value("UPDATE user_profiles SET timezone = %s RETURNING timezone", [zone]) == zone


@pytest.mark.rule("AUR-13", "refuses")
@pytest.mark.parametrize(
    "zone",
    [
        "",
        "utc",
        "europe/berlin",
        "Europe/Atlantis",
        "+02:00",
        "UTC+2",
        "posix/UTC",
        "right/UTC",
        "Factory",
        "localtime",
    ],
)
def test_other_time_zones_are_refused(db: Person, world: World, zone: str) -> None:
    carol = join(db)
    for act in (db.as_user(world.ann.id), db.as_service()):
        with act, db.refused("user_profiles_timezone_fkey", "23503"):
            db.run("UPDATE user_profiles SET timezone = %s WHERE id = %s", [zone, world.ann.id])
    with db.as_user(carol), db.refused("user_profiles_timezone_fkey", "23503"):
        insert(db, "user_profiles", id=carol, timezone=zone)


@pytest.mark.rule("AUR-13", "accepts")
@pytest.mark.rule("AUR-13", "refuses")
def test_services_add_time_zones_and_take_away_none_that_is_used(db: Person, world: World) -> None:
    with db.as_service():
        db.run("INSERT INTO timezones (name) VALUES ('Mars/Olympus')")
    with db.as_user(world.ann.id):
        db.run("UPDATE user_profiles SET timezone = 'Mars/Olympus'")
    with db.as_service():
        with db.refused("user_profiles_timezone_fkey", "23503"):
            db.run("DELETE FROM timezones WHERE name = 'Mars/Olympus'")
        assert db.run("DELETE FROM timezones WHERE name = 'Europe/Berlin'") == 1


@pytest.mark.rule("AUR-13", "accepts")
def test_the_server_knows_every_zone_that_can_be_chosen(db: Person) -> None:
    names = db.rows("SELECT name, now() AT TIME ZONE name AS there FROM timezones")
    assert len(names) > 400
    assert None not in {row.there for row in names}


# Tiers


@pytest.mark.rule("AUR-13", "accepts")
@pytest.mark.parametrize("tier", TIERS)
def test_services_give_and_take_every_tier(db: Person, world: World, tier: str) -> None:
    carol = join(db)
    with db.as_service():
        insert(db, "user_profiles", id=carol, user_tier=tier)
        assert profile(db, carol).user_tier == tier
        for other in (*TIERS, tier):
            db.run("UPDATE user_profiles SET user_tier = %s WHERE id = %s", [other, world.ann.id])
        assert profile(db, world.ann.id).user_tier == tier


@pytest.mark.rule("AUR-13", "refuses")
@pytest.mark.parametrize("tier", ["", "Premium", "free"])
def test_there_are_no_other_tiers(db: Person, world: World, tier: str) -> None:
    carol = join(db)
    with db.as_service():
        with db.refused("user_profiles_user_tier_check"):
            db.run("UPDATE user_profiles SET user_tier = %s", [tier])
        with db.refused("user_profiles_user_tier_check"):
            insert(db, "user_profiles", id=carol, user_tier=tier)


@pytest.mark.rule("AUR-13", "refuses")
@pytest.mark.parametrize("tier", ["premium", "enterprise"])
def test_nobody_gives_themselves_a_tier(db: Person, world: World, tier: str) -> None:
    carol = join(db)
    upsert = (
        "INSERT INTO user_profiles (id, user_tier) VALUES (%s, %s)"
        " ON CONFLICT (id) DO UPDATE SET user_tier = excluded.user_tier"
    )
    for user in (carol, world.ann.id):
        with db.as_user(user), db.refused("user_profiles_user_tier_service_check", "42501"):
            db.run(upsert, [user, tier])
    with db.as_user(carol), db.refused("user_profiles_user_tier_service_check", "42501"):
        insert(db, "user_profiles", id=carol, user_tier=tier)
    with db.as_user(world.ann.id):
        with db.refused("user_profiles_user_tier_service_check", "42501"):
            db.run("UPDATE user_profiles SET user_tier = %s", [tier])
        # Nor by beginning anew.
        db.run("DELETE FROM user_profiles")
        with db.refused("user_profiles_user_tier_service_check", "42501"):
            insert(db, "user_profiles", id=world.ann.id, user_tier=tier)


@pytest.mark.rule("AUR-13", "accepts")
@pytest.mark.rule("AUR-13", "refuses")
def test_who_has_a_tier_sends_it_back_and_gives_it_not_up(db: Person, world: World) -> None:
    db.run("UPDATE user_profiles SET user_tier = 'premium' WHERE id = %s", [world.ann.id])
    with db.as_user(world.ann.id):
        assert db.run("UPDATE user_profiles SET user_tier = 'premium', first_name = 'Ann'") == 1
        db.run(
            "INSERT INTO user_profiles (id, user_tier, last_name) VALUES (%s, 'premium', 'Lee')"
            " ON CONFLICT (id) DO UPDATE SET user_tier = excluded.user_tier, last_name = excluded.last_name",
            [world.ann.id],
        )
        with db.refused("user_profiles_user_tier_service_check", "42501"):
            db.run("UPDATE user_profiles SET user_tier = 'standard'")
    row = profile(db, world.ann.id)
    assert (row.user_tier, row.first_name, row.last_name) == ("premium", "Ann", "Lee")


# What the database keeps


@pytest.mark.rule("AUR-13", "refuses")
@pytest.mark.parametrize("column", KEPT)
def test_users_do_not_write_what_the_database_keeps(db: Person, world: World, column: str) -> None:
    """It is no error to send it."""
    carol = join(db)
    with db.as_user(carol):
        insert(db, "user_profiles", **{"id": carol, column: KEPT[column]})
        row = profile(db, carol)
    fresh = (0, 0, db.value("SELECT now()"))
    assert (row.total_focus_hours, row.average_daily_completion_rate, row.created_at) == fresh
    for act in (db.as_user(world.ann.id), db.as_service()):
        with act:
            after = db.row(
                f"UPDATE user_profiles SET {column} = %s, first_name = 'Ann' WHERE id = %s RETURNING *",
                [KEPT[column], world.ann.id],
            )
        assert (after.total_focus_hours, after.average_daily_completion_rate, after.created_at) == fresh
        assert after.first_name == "Ann"


@pytest.mark.rule("AUR-13", "accepts")
def test_an_import_states_when_a_profile_was_made(db: Person) -> None:
    carol = join(db)
    with db.as_service():
        insert(db, "user_profiles", id=carol, created_at="2020-01-01Z")
    assert profile(db, carol).created_at.year == 2020


@pytest.mark.rule("AUR-13", "accepts")
@pytest.mark.rule("AUR-13", "refuses")
def test_a_profile_stays_its_users(db: Person, world: World) -> None:
    carol = join(db)
    for act in (db.as_user(world.ann.id), db.as_service()):
        with act, db.refused("user_profiles_immutable_check", "23514"):
            db.run("UPDATE user_profiles SET id = %s WHERE id = %s", [carol, world.ann.id])
    with db.as_user(world.ann.id):
        assert db.run("UPDATE user_profiles SET id = id, username = 'annie'") == 1


@pytest.mark.rule("AUR-13", "accepts")
def test_updated_at_moves_with_what_people_change(db: Person, world: World) -> None:
    """To be active is no change of a profile, nor is what the database counts."""
    now = db.value("SELECT now()")
    db.run("SET LOCAL session_replication_role = replica")
    db.run("UPDATE user_profiles SET updated_at = '2020-01-01Z'")
    db.run("SET LOCAL session_replication_role = origin")
    with db.as_user(world.ann.id):
        db.run("UPDATE user_profiles SET last_activity_at = now()")
        assert profile(db, world.ann.id).updated_at.year == 2020
    db.run("UPDATE user_profiles SET total_focus_hours = 7, average_daily_completion_rate = 1")
    assert profile(db, world.ann.id).updated_at.year == 2020
    with db.as_user(world.ann.id):
        db.run("UPDATE user_profiles SET longest_streak = 7")
        assert profile(db, world.ann.id).updated_at == now


@pytest.mark.rule("AUR-13", "accepts")
def test_there_is_room_for_a_life_of_focus(db: Person, world: World) -> None:
    assert db.run("UPDATE user_profiles SET total_focus_hours = 999999.99 WHERE id = %s", [world.ann.id]) == 1


@pytest.mark.rule("AUR-13", "refuses")
@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("longest_streak", -1),
        *(("total_focus_hours", value) for value in ("-0.01", "NaN")),
        *(("average_daily_completion_rate", value) for value in ("-0.01", "1.01", "NaN")),
    ],
)
def test_what_cannot_be_is_refused(db: Person, world: World, column: str, value: Any) -> None:
    """To the owner, too; users cannot write most of it."""
    with db.refused(f"user_profiles_{column}_check"):
        db.run(f"UPDATE user_profiles SET {column} = %s WHERE id = %s", [value, world.ann.id])
    if column == "longest_streak":
        with db.as_user(world.ann.id), db.refused(f"user_profiles_{column}_check"):
            db.run(f"UPDATE user_profiles SET {column} = %s", [value])


@pytest.mark.rule("AUR-13", "refuses")
@pytest.mark.parametrize(
    "column",
    [
        *("user_tier", "longest_streak", "preferred_working_hours", "timezone"),
        *("ai_onboarding_completed", "ai_features_enabled"),
    ],
)
def test_what_a_profile_needs(db: Person, world: World, column: str) -> None:
    with db.as_service(), db.refused(sqlstate="23502") as caught:
        db.run(f"UPDATE user_profiles SET {column} = NULL")
    assert caught.value.diag.column_name == column


@pytest.mark.rule("AUR-13", "refuses")
def test_a_username_is_somebodys_alone(db: Person, world: World) -> None:
    with db.as_user(world.ann.id), db.refused("user_profiles_username_key", "23505"):
        db.run("UPDATE user_profiles SET username = 'bob'")


# Counters

FIGURES = {
    "total_journal_entries": 99,
    "total_tasks": 99,
    "tasks_completed": 99,
    "total_areas": 99,
    "total_projects": 99,
    "completed_projects": 99,
    "total_ai_interactions": 99,
    "insights_generated": 99,
    "insights_applied": 99,
    "ai_satisfaction_score": 5,
    "total_focus_time_minutes": 99,
    "average_task_completion_time": 99,
    "task_estimation_accuracy": 1,
    "weekly_active_days": 7,
    "current_momentum_score": 1,
    "last_updated": "2020-01-01Z",
    "created_at": "2020-01-01Z",
}


@pytest.mark.rule("AUR-18", "refuses")
@pytest.mark.parametrize("role", ["authenticated", "service_role"])
def test_figures_stay_as_the_database_counts_them(db: Person, world: World, role: str) -> None:
    """Applications that counted by themselves go on sending theirs; it is no error."""
    add_task(db, world.ann, completed=True)
    before = db.row("SELECT * FROM user_stats WHERE user_id = %s", [world.ann.id])
    assert (before.total_tasks, before.tasks_completed) == (2, 1)
    sent = {"user_id": world.ann.id, **FIGURES}
    names, marks = ", ".join(sent), ", ".join(f"%({name})s" for name in sent)
    changes = ", ".join(f"{name} = %({name})s" for name in FIGURES)
    again = ", ".join(f"{name} = excluded.{name}" for name in FIGURES)
    with db.as_user(world.ann.id) if role == "authenticated" else db.as_service():
        db.run(f"UPDATE user_stats SET {changes} WHERE user_id = %(user_id)s", sent)
        db.run(f"INSERT INTO user_stats ({names}) VALUES ({marks}) ON CONFLICT (user_id) DO UPDATE SET {again}", sent)
    after = db.row("SELECT * FROM user_stats WHERE user_id = %s", [world.ann.id])
    assert after._replace(updated_at=None) == before._replace(updated_at=None)


@pytest.mark.rule("AUR-18", "refuses")
def test_a_row_of_figures_begins_at_nothing(db: Person) -> None:
    carol = join(db)
    with db.as_user(carol):
        insert(db, "user_stats", user_id=carol, **FIGURES)
        row = db.row("SELECT * FROM user_stats")
    assert {getattr(row, name) for name in FIGURES if name.startswith("total") or name.endswith("ed")} == {
        0,
        row.last_updated,
    }
    assert row.last_updated == row.created_at == db.value("SELECT now()")
    assert (row.ai_satisfaction_score, row.average_task_completion_time, row.task_estimation_accuracy) == (
        *(None, None),
        None,
    )
    assert (row.weekly_active_days, float(row.current_momentum_score)) == (0, 0.5)


@pytest.mark.rule("AUR-18", "refuses")
def test_figures_stay_their_users_and_are_there_once(db: Person, world: World) -> None:
    carol = join(db)
    with db.as_user(world.ann.id):
        for column in ("user_id", "id"):
            with db.refused("user_stats_immutable_check", "23514"):
                db.run(f"UPDATE user_stats SET {column} = %s", [carol])
        with db.refused("user_stats_user_id_key", "23505"):
            insert(db, "user_stats", user_id=world.ann.id)


@pytest.mark.rule("AUR-18", "refuses")
@pytest.mark.parametrize(
    ("column", "value"),
    [
        *(("ai_satisfaction_score", value) for value in ("-0.01", "5.01", "NaN")),
        *(("task_estimation_accuracy", value) for value in ("-0.01", "1.01", "NaN")),
        *(("weekly_active_days", value) for value in (-1, 8)),
        *(("current_momentum_score", value) for value in ("-0.01", "1.01", "NaN")),
    ],
)
def test_figures_that_cannot_be_are_refused(db: Person, world: World, column: str, value: Any) -> None:
    """To the owner, who alone writes them."""
    with db.refused(f"user_stats_{column}_check"):
        db.run(f"UPDATE user_stats SET {column} = %s", [value])


@pytest.mark.rule("AUR-18", "accepts")
def test_figures_have_an_updated_at(db: Person, world: World) -> None:
    db.run("SET LOCAL session_replication_role = replica")
    db.run("UPDATE user_stats SET updated_at = '2020-01-01Z'")
    db.run("SET LOCAL session_replication_role = origin")
    with db.as_user(world.ann.id):
        add_task(db, world.ann)
        assert db.value("SELECT updated_at FROM user_stats") == db.value("SELECT now()")
