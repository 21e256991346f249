"""Subscriptions: what Stripe says of them, and the tier of the user that follows the active one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from tests.chatvrm.world import User, World, build_world, subscribe
from tests.people import Person, blocked, insert

STATUSES = ["incomplete", "incomplete_expired", "trialing", "active", "past_due", "canceled", "unpaid", "paused"]


def tier(db: Person, user: User) -> str:
    return db.value("SELECT subscription_tier FROM users WHERE id = %s", [user.id])


def columns(status: str) -> dict[str, Any]:
    return {"status": status, "canceled_at": "2026-01-01Z" if status == "canceled" else None}


# Form


@pytest.mark.rule("VRM-03", "accepts")
@pytest.mark.parametrize("status", STATUSES)
def test_every_status_of_stripes(db: Person, world: World, status: str) -> None:
    with db.as_service():
        row = subscribe(db, world.ann, **columns(status))
    assert db.row("SELECT status, monthly_price FROM subscriptions WHERE id = %s", [row]) == (status, 0)
    assert tier(db, world.ann) == ("pro" if status == "active" else "free")


@pytest.mark.rule("VRM-03", "accepts")
def test_a_subscription_is_kept_as_stripe_tells_it(db: Person, world: World) -> None:
    said = {
        "stripe_subscription_id": "sub_9",
        "stripe_customer_id": "cus_9",
        "monthly_price": "99999999.99",
        "current_period_start": "2026-01-01Z",
        "current_period_end": "2026-01-01 00:00:00.000001Z",
    }
    with db.as_service():
        row = subscribe(db, world.ann, **said)
        assert db.value(
            "SELECT stripe_subscription_id = 'sub_9' AND stripe_customer_id = 'cus_9' AND monthly_price = 99999999.99"
            " AND current_period_end > current_period_start FROM subscriptions WHERE id = %s",
            [row],
        )
    with db.as_user(world.ann.sub):
        assert db.rows("SELECT id FROM subscriptions") == [(row,)]
    with db.as_user(world.bob.sub):
        assert db.rows("SELECT id FROM subscriptions") == []


REFUSED: list[tuple[dict[str, Any], str]] = [
    *(({"status": status}, "subscriptions_status_check") for status in ("", "Active", "cancelled", "ended", "active ")),
    *(({"tier": blank}, "subscriptions_tier_check") for blank in ("", " ", "\u200b")),
    *(({"stripe_subscription_id": blank}, "subscriptions_stripe_subscription_id_check") for blank in ("", " \n")),
    *(({"monthly_price": price}, "subscriptions_monthly_price_check") for price in ("-0.01", "NaN")),
    *(
        ({"current_period_start": "2026-02-01Z", "current_period_end": end}, "subscriptions_period_check")
        for end in ("2026-02-01Z", "2026-01-31Z", "-infinity")
    ),
    ({"status": "canceled"}, "subscriptions_canceled_at_check"),
    *(
        ({"status": status, "canceled_at": "2026-01-01Z"}, "subscriptions_canceled_at_check")
        for status in STATUSES
        if status != "canceled"
    ),
]


@pytest.mark.rule("VRM-03", "refuses")
@pytest.mark.parametrize(("said", "constraint"), REFUSED)
def test_what_stripe_does_not_say_is_refused(db: Person, world: World, said: dict[str, Any], constraint: str) -> None:
    with db.as_service():
        with db.refused(constraint, "23514"):
            subscribe(db, world.ann, **said)
        row = subscribe(db, world.ann, stripe_subscription_id="good")
        settings = ", ".join(f"{column} = %({column})s" for column in said)
        with db.refused(constraint, "23514"):
            db.run(f"UPDATE subscriptions SET {settings} WHERE id = %(which)s", {**said, "which": row})


@pytest.mark.rule("VRM-03", "refuses")
@pytest.mark.parametrize(
    "column",
    ["id", "user_id", "stripe_subscription_id", "status", "tier", "monthly_price", "created_at", "updated_at"],
)
def test_what_every_subscription_has_cannot_be_null(db: Person, world: World, column: str) -> None:
    said = {"user_id": world.ann.id, "stripe_subscription_id": "sub_1", "status": "active", "tier": "pro"}
    with db.as_service(), db.refused(sqlstate="23502") as caught:
        insert(db, "subscriptions", **{**said, column: None})
    assert caught.value.diag.column_name == column


@pytest.mark.rule("VRM-03", "refuses")
def test_a_subscription_of_stripes_is_stored_once_and_stays_with_its_user(db: Person, world: World) -> None:
    with db.as_service():
        row = subscribe(db, world.ann)
        with db.refused("subscriptions_stripe_subscription_id_key", "23505"):
            subscribe(db, world.bob)
        with db.refused("subscriptions_immutable_check", "23514"):
            db.run("UPDATE subscriptions SET user_id = %s", [world.bob.id])
        with db.refused("subscriptions_immutable_check", "23514"):
            db.run("UPDATE subscriptions SET id = gen_random_uuid()")
        with db.refused("subscriptions_pkey", "23505"):
            subscribe(db, world.bob, id=row, stripe_subscription_id="sub_2")
        with db.refused("subscriptions_user_id_fkey", "23503"):
            subscribe(db, User(uuid4(), "", uuid4()), stripe_subscription_id="sub_2")
        assert db.run("UPDATE subscriptions SET user_id = user_id, id = id") == 1


@pytest.mark.rule("VRM-03", "refuses")
def test_a_user_only_reads(db: Person, world: World) -> None:
    subscribe(db, world.ann)
    with db.as_user(world.ann.sub):
        for statement in ("UPDATE subscriptions SET tier = 'team'", "DELETE FROM subscriptions"):
            with db.refused(sqlstate="42501"):
                db.run(statement)
        with db.refused(sqlstate="42501"):
            subscribe(db, world.ann, stripe_subscription_id="sub_2", status="past_due")
    with db.as_anon(), db.refused(sqlstate="42501"):
        db.rows("SELECT id FROM subscriptions")


# One active


@pytest.mark.rule("VRM-03", "accepts")
def test_one_active_beside_any_number_of_others(db: Person, world: World) -> None:
    with db.as_service():
        for number, status in enumerate([*STATUSES, *STATUSES[:3]]):
            subscribe(db, world.ann, stripe_subscription_id=f"a{number}", tier=f"t-{status}", **columns(status))
        subscribe(db, world.bob, stripe_subscription_id="b")
    assert (tier(db, world.ann), tier(db, world.bob)) == ("t-active", "pro")


@pytest.mark.rule("VRM-03", "refuses")
def test_a_second_active_one_is_refused(db: Person, world: World) -> None:
    with db.as_service():
        subscribe(db, world.ann)
        with db.refused("unique_user_subscription", "23505"):
            subscribe(db, world.ann, stripe_subscription_id="sub_2")
        second = subscribe(db, world.ann, stripe_subscription_id="sub_2", status="past_due")
        with db.refused("unique_user_subscription", "23505"):
            db.run("UPDATE subscriptions SET status = 'active' WHERE id = %s", [second])


# The tier


@pytest.mark.rule("VRM-03", "accepts")
def test_the_tier_follows_the_active_subscription(db: Person, world: World) -> None:
    with db.as_service():
        row = subscribe(db, world.ann, status="incomplete")
        for change, expected in [
            ("status = 'active'", "pro"),
            ("tier = 'team'", "team"),
            ("status = 'past_due'", "free"),
            ("tier = 'pro'", "free"),
            ("status = 'active'", "pro"),
            ("monthly_price = 12", "pro"),
            ("status = 'canceled', canceled_at = now()", "free"),
            ("status = 'active', canceled_at = NULL, tier = 'team'", "team"),
        ]:
            db.run(f"UPDATE subscriptions SET {change} WHERE id = %s", [row])
            assert (tier(db, world.ann), tier(db, world.bob)) == (expected, "free"), change


@pytest.mark.rule("VRM-03", "accepts")
def test_the_change_of_a_tier_is_a_change_of_the_user(db: Person, world: World) -> None:
    db.run("ALTER TABLE users DISABLE TRIGGER USER")
    db.run("UPDATE users SET updated_at = '2020-01-01Z'")
    db.run("ALTER TABLE users ENABLE TRIGGER USER")
    with db.as_service():
        subscribe(db, world.ann)
        subscribe(db, world.bob, stripe_subscription_id="sub_2", status="unpaid")
    moved = "SELECT updated_at = now() FROM users WHERE id = %s"
    assert (db.value(moved, [world.ann.id]), db.value(moved, [world.bob.id])) == (True, False)


@pytest.mark.rule("VRM-03", "accepts")
def test_one_statement_may_replace_the_subscriptions_of_many(db: Person, world: World) -> None:
    with db.as_service():
        subscribe(db, world.ann)
        subscribe(db, world.bob, stripe_subscription_id="sub_2")
        db.run("UPDATE subscriptions SET status = 'canceled', canceled_at = now()")
        assert (tier(db, world.ann), tier(db, world.bob)) == ("free", "free")
        db.run(
            "INSERT INTO subscriptions (user_id, stripe_subscription_id, status, tier)"
            " VALUES (%s, 'sub_3', 'active', 'team'), (%s, 'sub_4', 'active', 'gold')",
            [world.ann.id, world.bob.id],
        )
    assert (tier(db, world.ann), tier(db, world.bob)) == ("team", "gold")


@pytest.mark.rule("VRM-03", "accepts")
def test_without_its_subscription_a_user_is_free(db: Person, world: World) -> None:
    with db.as_service():
        subscribe(db, world.ann)
        old = subscribe(db, world.ann, stripe_subscription_id="sub_2", tier="team", status="past_due")
        db.run("DELETE FROM subscriptions WHERE id = %s", [old])
        assert tier(db, world.ann) == "pro"
        db.run("DELETE FROM subscriptions")
        assert tier(db, world.ann) == "free"


@pytest.mark.rule("VRM-03", "accepts")
def test_a_user_goes_with_the_subscriptions(db: Person, world: World) -> None:
    with db.as_service():
        subscribe(db, world.ann)
        subscribe(db, world.bob, stripe_subscription_id="sub_2")
        assert db.run("DELETE FROM users WHERE id = %s", [world.ann.id]) == 1
        assert db.rows("SELECT user_id FROM subscriptions") == [(world.bob.id,)]
        assert db.rows("SELECT subscription_tier FROM users") == [("pro",)]


ADD = "INSERT INTO subscriptions (user_id, stripe_subscription_id, status, tier) VALUES (%s, 'sub_2', 'active', 'team')"


@pytest.mark.rule("VRM-03", "accepts")
def test_one_ends_while_another_begins(connect: Callable[[], Person]) -> None:
    first, second = connect(), connect()
    world = build_world(first)
    subscribe(first, world.ann)
    first.run("BEGIN")
    first.run("UPDATE subscriptions SET status = 'canceled', canceled_at = now()")
    with blocked(second, first, ADD, [world.ann.id]) as added:
        first.run("COMMIT")
        assert added.result(timeout=30) == 1
    assert tier(first, world.ann) == "team"


@pytest.mark.rule("VRM-03", "accepts")
def test_of_two_changes_at_once_the_later_one_sees_the_other(connect: Callable[[], Person]) -> None:
    """Neither may put back the tier that it saw before it waited."""
    first, second = connect(), connect()
    world = build_world(first)
    subscribe(first, world.ann, stripe_subscription_id="old", status="past_due")
    subscribe(first, world.ann, stripe_subscription_id="new", status="past_due", tier="team")
    first.run("BEGIN")
    first.run("UPDATE subscriptions SET status = 'active' WHERE stripe_subscription_id = 'old'")
    other = "UPDATE subscriptions SET monthly_price = 1 WHERE stripe_subscription_id = 'new'"
    with blocked(second, first, other) as changed:
        first.run("COMMIT")
        assert changed.result(timeout=30) == 1
    assert tier(first, world.ann) == "pro"


@pytest.mark.rule("VRM-03", "refuses")
def test_of_two_that_begin_at_once_one_is_refused(connect: Callable[[], Person]) -> None:
    first, second = connect(), connect()
    world = build_world(first)
    first.run("BEGIN")
    subscribe(first, world.ann)
    with blocked(second, first, ADD, [world.ann.id]) as added:
        first.run("COMMIT")
        with second.refused("unique_user_subscription", "23505"):
            added.result(timeout=30)
    assert first.rows("SELECT tier FROM subscriptions") == [("pro",)]
    assert tier(first, world.ann) == "pro"


@pytest.mark.rule("VRM-03", "accepts")
def test_one_begins_while_the_user_is_deleted(connect: Callable[[], Person]) -> None:
    first, second = connect(), connect()
    world = build_world(first)
    subscribe(first, world.ann)
    first.run("BEGIN")
    first.run("DELETE FROM users WHERE id = %s", [world.ann.id])
    change = "UPDATE subscriptions SET tier = 'team'"
    with blocked(second, first, change) as changed:
        first.run("COMMIT")
        assert changed.result(timeout=30) == 0
    assert first.rows("SELECT id FROM subscriptions") == []
