"""Sessions: tokens that are told once, their use, their rotation and their end."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from tests.othello.world import User, World, build_world
from tests.people import Person, blocked

OPEN = "SELECT open_session(%s, '192.0.2.1', 'Browser')"
TOUCH, ROTATE, CLOSE = (f"SELECT {name}_session(%s)" for name in ("touch", "rotate", "close"))
EXPIRE = "SELECT expire_inactive_sessions()"


@pytest.fixture
def service(db: Person, world: World) -> Any:
    """The service, in the transaction of `db`."""
    with db.as_service():
        yield db


def stored(db: Person) -> Any:
    """The one session there is."""
    return db.row("SELECT * FROM session_logs")


def age(db: Person, column: str, interval: str) -> None:
    """Let every session look as if the time in this column were an interval ago."""
    db.run(f"UPDATE session_logs SET {column} = now() - %s::interval", [interval])


@pytest.mark.rule("OTH-06", "accepts")
def test_an_open_session_belongs_to_its_user(service: Person, world: World) -> None:
    token = service.value(OPEN, [world.ann.id])
    row = stored(service)
    assert (row.user_id, str(row.ip_address), row.user_agent) == (world.ann.id, "192.0.2.1", "Browser")
    assert (row.is_active, row.logout_at) == (True, None)
    assert row.login_at == row.last_activity_at == row.rotated_at == service.value("SELECT now()")
    assert service.value(TOUCH, [token]) == world.ann.id


@pytest.mark.rule("OTH-06", "accepts")
def test_who_signs_in_may_be_unknown_but_for_their_id(service: Person, world: World) -> None:
    token = service.value("SELECT open_session(%s, NULL, NULL)", [world.ann.id])
    assert service.value(TOUCH, [token]) == world.ann.id
    assert (stored(service).ip_address, stored(service).user_agent) == (None, None)


@pytest.mark.rule("OTH-06", "accepts")
def test_tokens_are_random_and_safe_in_addresses(service: Person, world: World) -> None:
    tokens = [row.token for row in service.rows("SELECT make_session_token() AS token FROM generate_series(1, 1000)")]
    tokens += [service.value(OPEN, [world.ann.id]) for _ in range(3)]
    assert len(set(tokens)) == 1003
    assert all(re.fullmatch("[A-Za-z0-9_-]{43}", token) for token in tokens)
    # Every character takes many values, so that none of the 43 is padding or fixed, save what a UUID says of itself.
    assert all(len({token[place] for token in tokens}) >= 4 for place in range(43))
    assert len({token[:21] for token in tokens}) == len({token[22:] for token in tokens}) == 1003


@pytest.mark.rule("OTH-06", "refuses")
def test_a_token_is_stored_in_no_form(service: Person, world: World) -> None:
    tokens = [service.value(OPEN, [world.ann.id])]
    tokens.append(service.value(ROTATE, [tokens[0]]))
    service.value(TOUCH, [tokens[1]])
    text = str(service.rows("SELECT to_jsonb(s) FROM session_logs AS s")).lower()
    for token in tokens:
        raw = base64.urlsafe_b64decode(token + "=")
        plain = [token, token.encode().hex(), raw.hex(), base64.b64encode(raw).decode(), raw[:16].hex(), raw[16:].hex()]
        assert not [form for form in plain if form.lower() in text]
    assert stored(service).session_token == hashlib.sha256(tokens[1].encode()).hexdigest()


@pytest.mark.rule("OTH-06", "refuses")
def test_what_is_stored_opens_no_session(service: Person, world: World) -> None:
    service.value(OPEN, [world.ann.id])
    copied = stored(service).session_token
    for sql in (TOUCH, ROTATE):
        assert service.value(sql, [copied]) is None
    assert service.value(CLOSE, [copied]) is False


@pytest.mark.rule("OTH-06", "refuses")
@pytest.mark.parametrize("token", ["", "x", "ä" * 1000, None])
def test_a_token_that_nobody_was_given_is_worth_nothing(service: Person, world: World, token: str | None) -> None:
    service.value(OPEN, [world.ann.id])
    before = stored(service)
    assert service.value(TOUCH, [token]) is None
    assert service.value(ROTATE, [token]) is None
    assert service.value(CLOSE, [token]) is False
    assert stored(service) == before


@pytest.mark.rule("OTH-06", "refuses")
def test_a_session_is_opened_for_an_active_user_only(service: Person, world: World) -> None:
    service.run("UPDATE users SET is_active = FALSE WHERE id = %s", [world.ann.id])
    service.run("SELECT soft_delete_user(%s)", [world.bob.id])
    said = set()
    for user in (world.ann.id, world.bob.id, 2**40, None):
        with service.refused(sqlstate="P0002") as caught:
            service.value(OPEN, [user])
        said.add(caught.value.diag.message_primary.replace(str(user), "?"))
    assert len(said) <= 2  # a null has no number to be named
    assert service.rows("SELECT id FROM session_logs") == []


@pytest.mark.rule("OTH-06", "accepts")
def test_touching_moves_the_last_activity_and_nothing_else(service: Person, world: World) -> None:
    token = service.value(OPEN, [world.ann.id])
    before = stored(service)._asdict()
    assert service.value(TOUCH, [token]) == world.ann.id
    after = stored(service)._asdict()
    assert after.pop("last_activity_at") > before.pop("last_activity_at")
    assert after == before


@pytest.mark.rule("OTH-06", "accepts")
def test_the_last_activity_never_goes_back(service: Person, world: World) -> None:
    token = service.value(OPEN, [world.ann.id])
    age(service, "last_activity_at", "-1 hour")
    later = stored(service).last_activity_at
    assert service.value(TOUCH, [token]) == world.ann.id
    assert stored(service).last_activity_at == later
    assert service.value(ROTATE, [token]) is not None
    assert stored(service).last_activity_at == later


@pytest.mark.rule("OTH-06", "accepts")
def test_rotating_replaces_the_token_in_one_step(service: Person, world: World) -> None:
    first = service.value(OPEN, [world.ann.id])
    others = service.value(OPEN, [world.ann.id])
    before = service.row("SELECT * FROM session_logs WHERE session_token = session_token_hash(%s)", [first])._asdict()
    second = service.value(ROTATE, [first])
    after = service.row("SELECT * FROM session_logs WHERE session_token = session_token_hash(%s)", [second])._asdict()
    for column in ("rotated_at", "last_activity_at"):
        assert after.pop(column) > before.pop(column)
    assert after.pop("session_token") != before.pop("session_token")
    assert after == before
    assert service.value(TOUCH, [first]) is None
    assert service.value(ROTATE, [first]) is None
    assert service.value(CLOSE, [first]) is False
    assert service.value(TOUCH, [second]) == service.value(TOUCH, [others]) == world.ann.id


@pytest.mark.rule("OTH-06", "accepts")
def test_a_closed_session_stays_closed(service: Person, world: World) -> None:
    token, others = service.value(OPEN, [world.ann.id]), service.value(OPEN, [world.ann.id])
    assert service.value(CLOSE, [token]) is True
    row = service.row("SELECT * FROM session_logs WHERE session_token = session_token_hash(%s)", [token])
    assert row.is_active is False
    assert row.logout_at > row.login_at
    assert service.value(TOUCH, [token]) is None
    assert service.value(ROTATE, [token]) is None
    assert service.value(CLOSE, [token]) is False
    assert service.row("SELECT * FROM session_logs WHERE id = %s", [row.id]) == row
    assert service.value(TOUCH, [others]) == world.ann.id


@pytest.mark.rule("OTH-06", "refuses")
def test_the_sessions_of_an_inactive_user_rest(service: Person, world: World) -> None:
    token = service.value(OPEN, [world.ann.id])
    service.run("UPDATE users SET is_active = FALSE WHERE id = %s", [world.ann.id])
    assert service.value(TOUCH, [token]) is None
    assert service.value(ROTATE, [token]) is None
    service.run("UPDATE users SET is_active = TRUE WHERE id = %s", [world.ann.id])
    assert service.value(TOUCH, [token]) == world.ann.id
    service.run("UPDATE users SET is_active = FALSE WHERE id = %s", [world.ann.id])
    assert service.value(CLOSE, [token]) is True


@pytest.mark.rule("OTH-06", "refuses")
def test_a_deleted_user_is_not_brought_back_by_a_session_left_open(db: Person, world: World) -> None:
    with db.as_service():
        token = db.value(OPEN, [world.ann.id])
        db.run("SELECT soft_delete_user(%s)", [world.ann.id])
        db.run("UPDATE session_logs SET is_active = TRUE, logout_at = NULL")
    # The owner too, from whom no policy hides the user.
    for sql in (TOUCH, ROTATE):
        assert db.value(sql, [token]) is None
    with db.refused(sqlstate="P0002"):
        db.value(OPEN, [world.ann.id])


# The form of a row


@pytest.mark.rule("OTH-06", "refuses")
@pytest.mark.parametrize(
    ("active", "logout"), [("TRUE", "now()"), ("FALSE", "NULL")], ids=["active-ended", "ended-without-time"]
)
def test_the_end_of_a_session_has_a_time(service: Person, world: World, active: str, logout: str) -> None:
    service.value(OPEN, [world.ann.id])
    with service.refused("session_logs_logout_at_check", "23514"):
        service.run(f"UPDATE session_logs SET is_active = {active}, logout_at = {logout}")
    assert service.run("UPDATE session_logs SET is_active = FALSE, logout_at = now()") == 1


@pytest.mark.rule("OTH-06", "refuses")
@pytest.mark.parametrize("token", ["", "plain", "A" * 64, "a" * 63, "a" * 65, "g" * 64, "a" * 64 + "\n"])
def test_a_row_holds_no_token_in_plain_text(service: Person, world: World, token: str) -> None:
    with service.refused("session_logs_session_token_check", "23514"):
        service.run("INSERT INTO session_logs (user_id, session_token) VALUES (%s, %s)", [world.ann.id, token])


@pytest.mark.rule("OTH-06", "refuses")
def test_a_session_has_one_user_and_a_token_of_its_own(service: Person, world: World) -> None:
    insert = "INSERT INTO session_logs (user_id, session_token) VALUES (%s, repeat('a', 64))"
    assert service.run(insert, [world.ann.id]) == 1
    with service.refused("idx_session_logs_token", "23505"):
        service.run(insert, [world.bob.id])
    with service.refused("session_logs_pkey", "23505"):
        service.run(
            "INSERT INTO session_logs (id, user_id, session_token) SELECT id, user_id, repeat('b', 64)"
            " FROM session_logs"
        )
    for change in (f"user_id = {world.bob.id}", "id = id + 1000"):
        with service.refused("session_logs_immutable_check", "23514"):
            service.run(f"UPDATE session_logs SET {change}")
    with service.refused("session_logs_user_id_fkey", "23503"):
        service.run("INSERT INTO session_logs (user_id, session_token) VALUES (%s, repeat('b', 64))", [2**40])
    columns = ["user_id", "session_token", "login_at", "last_activity_at", "is_active", "rotated_at"]
    for column in columns:
        with service.refused(sqlstate="23502") as caught:
            values = {"user_id": world.ann.id, "session_token": "b" * 64, column: None}
            service.run(
                f"INSERT INTO session_logs ({', '.join(values)})"
                f" VALUES ({', '.join(f'%({name})s' for name in values)})",
                values,
            )
        assert caught.value.diag.column_name == column


@pytest.mark.rule("OTH-06", "refuses")
def test_users_see_their_sessions_without_the_token(db: Person, world: World) -> None:
    with db.as_service():
        token = db.value(OPEN, [world.ann.id])
        db.value(OPEN, [world.bob.id])
    with world.ann.acting(db):
        row = db.row("SELECT * FROM session_logs_public")._asdict()
        assert (row["user_id"], row["user_agent"], "session_token" in row) == (world.ann.id, "Browser", False)
        with db.refused(sqlstate="42501"):
            db.run("UPDATE session_logs_public SET is_active = FALSE")
    calls = [(OPEN, world.ann.id), (TOUCH, token), (ROTATE, token), (CLOSE, token)]
    calls += [("SELECT session_token_hash(%s)", token), ("SELECT make_session_token() WHERE %s <> ''", token)]
    calls += [("SELECT expire_inactive_sessions() WHERE %s <> ''", token)]
    calls += [("SELECT id FROM session_logs WHERE session_token = %s", token)]
    for person in (world.ann.acting(db), db.as_anon()):
        with person:
            for sql, value in calls:
                with db.refused(sqlstate="42501"):
                    db.run(sql, [value])
    with db.as_anon(), db.refused(sqlstate="42501"):
        db.run("SELECT id FROM session_logs_public")


# Expiry


@pytest.mark.rule("OTH-06", "accepts")
@pytest.mark.parametrize(
    ("column", "kept", "call"),
    [
        ("last_activity_at", "30 days", EXPIRE),
        ("rotated_at", "90 days", EXPIRE),
        ("last_activity_at", "2 hours", "SELECT expire_inactive_sessions('2 hours')"),
        ("rotated_at", "3 hours", "SELECT expire_inactive_sessions(p_max_age => '3 hours')"),
        ("rotated_at", "3 hours", "SELECT expire_inactive_sessions('2 hours', '3 hours')"),
    ],
)
def test_a_session_ends_just_after_its_time(service: Person, world: World, column: str, kept: str, call: str) -> None:
    token = service.value(OPEN, [world.ann.id])
    age(service, column, kept)
    before = stored(service)
    assert service.value(call) == 0
    assert stored(service) == before
    age(service, column, f"{kept} 1 microsecond")
    before = stored(service)
    assert service.value(call) == 1
    after = stored(service)
    assert after._replace(is_active=True, logout_at=None) == before
    assert after.is_active is False
    assert after.logout_at > after.login_at
    assert service.value(TOUCH, [token]) is None
    assert service.value(call) == 0
    assert stored(service) == after


@pytest.mark.rule("OTH-06", "refuses")
def test_use_keeps_a_session_from_idling_but_not_from_ageing(service: Person, world: World) -> None:
    token = service.value(OPEN, [world.ann.id])
    age(service, "last_activity_at", "31 days")
    service.value(TOUCH, [token])
    assert service.value(EXPIRE) == 0
    age(service, "rotated_at", "91 days")
    service.value(TOUCH, [token])
    assert service.value(EXPIRE) == 1
    token = service.value(OPEN, [world.ann.id])
    service.run("UPDATE session_logs SET rotated_at = now() - interval '91 days' WHERE is_active")
    token = service.value(ROTATE, [token])
    assert service.value(EXPIRE) == 0
    assert service.value(TOUCH, [token]) == world.ann.id


@pytest.mark.rule("OTH-06", "refuses")
def test_expiry_leaves_ended_sessions_as_they_are(service: Person, world: World) -> None:
    service.value(CLOSE, [service.value(OPEN, [world.ann.id])])
    for column in ("last_activity_at", "rotated_at", "logout_at"):
        age(service, column, "100 days")
    before = stored(service)
    assert service.value(EXPIRE) == 0
    assert stored(service) == before


# Many sessions of the database at once


def services(connect: Callable[[], Person], number: int) -> tuple[User, list[Person]]:
    """Ann, and as many services as asked for."""
    owner = connect()
    world = build_world(owner)
    people = [connect() for _ in range(number)]
    for person in people:
        person.run("SET ROLE service_role")
    return world.ann, people


def at_once(people: list[Person], calls: list[tuple[str, Any]]) -> list[Any]:
    """Let each make its call, all at the same moment, and return what they got."""
    barrier = Barrier(len(people))

    def call(person: Person, sql: str, value: Any) -> Any:
        barrier.wait(timeout=30)
        return person.value(sql, [value])

    with ThreadPoolExecutor(len(people)) as pool:
        futures = [pool.submit(call, person, *made) for person, made in zip(people, calls, strict=True)]
        return [future.result(timeout=30) for future in futures]


@pytest.mark.rule("OTH-06", "refuses")
def test_of_many_who_rotate_one_token_exactly_one_wins(connect: Callable[[], Person]) -> None:
    ann, people = services(connect, 20)
    token = people[0].value(OPEN, [ann.id])
    for _ in range(5):
        rotated = at_once(people, [(ROTATE, token)] * 20)
        (new,) = [each for each in rotated if each is not None]
        assert people[0].value(TOUCH, [token]) is None
        assert people[0].value(TOUCH, [new]) == ann.id
        assert people[0].value("SELECT count(*) FROM session_logs") == 1
        token = new


@pytest.mark.rule("OTH-06", "refuses")
def test_who_rotates_what_is_just_being_rotated_gets_nothing(connect: Callable[[], Person]) -> None:
    ann, (first, second) = services(connect, 2)
    token = first.value(OPEN, [ann.id])
    # What the second one gets shows in the row: nothing of its making may be there.
    for sql in (ROTATE, TOUCH, CLOSE):
        first.run("BEGIN")
        new = first.value(ROTATE, [token])
        with blocked(second, first, f"CREATE TEMPORARY TABLE got AS {sql.replace('%s', '%s::text')}", [token]):
            first.run("COMMIT")
        assert second.value("SELECT * FROM got") in (None, False)
        second.run("DROP TABLE got")
        assert first.value("SELECT session_token = session_token_hash(%s) AND is_active FROM session_logs", [new])
        token = new


@pytest.mark.rule("OTH-06", "accepts")
def test_many_sessions_are_used_at_once_and_nothing_is_lost(connect: Callable[[], Person]) -> None:
    ann, people = services(connect, 20)
    tokens = at_once(people, [(OPEN, ann.id)] * 20)
    assert len(set(tokens)) == 20
    for _ in range(3):
        calls = [(sql, token) for sql, token in zip([ROTATE, TOUCH] * 10, tokens, strict=True)]
        got = at_once(people, calls)
        assert got[1::2] == [ann.id] * 10
        tokens = [new if sql == ROTATE else token for new, (sql, token) in zip(got, calls, strict=True)]
        tokens.reverse()
    assert at_once(people, [(TOUCH, token) for token in tokens]) == [ann.id] * 20
    calls = [(sql, token) for sql, token in zip([CLOSE, ROTATE] * 10, tokens, strict=True)]
    got = at_once(people, calls)
    assert got[::2] == [True] * 10
    assert None not in got[1::2]
    rows = people[0].rows("SELECT is_active, count(*) AS rows FROM session_logs GROUP BY is_active ORDER BY is_active")
    assert rows == [(False, 10), (True, 10)]


@pytest.mark.rule("OTH-06", "accepts")
def test_expiry_passes_over_a_session_that_is_just_being_used(connect: Callable[[], Person]) -> None:
    ann, (user, job) = services(connect, 2)
    token = user.value(OPEN, [ann.id])
    user.value(OPEN, [ann.id])
    age(user, "last_activity_at", "31 days")
    user.run("BEGIN")
    user.value(TOUCH, [token])
    assert job.value(EXPIRE) == 1
    user.run("COMMIT")
    assert job.value(EXPIRE) == 0
    assert user.value(TOUCH, [token]) == ann.id


@pytest.mark.rule("OTH-06", "refuses")
def test_a_session_that_is_just_being_ended_is_not_used(connect: Callable[[], Person]) -> None:
    ann, (user, job) = services(connect, 2)
    token = user.value(OPEN, [ann.id])
    age(user, "last_activity_at", "31 days")
    job.run("BEGIN")
    assert job.value(EXPIRE) == 1
    with blocked(user, job, f"CREATE TEMPORARY TABLE got AS SELECT touch_session('{token}') AS id") as touched:
        job.run("COMMIT")
    assert touched.result() == 1
    assert user.value("SELECT id FROM got") is None
    assert not stored(user).is_active


@pytest.mark.rule("OTH-05", "accepts")
def test_a_session_that_is_just_being_opened_ends_with_its_user(connect: Callable[[], Person]) -> None:
    ann, (user, other) = services(connect, 2)
    user.run("BEGIN")
    token = user.value(OPEN, [ann.id])
    with blocked(other, user, "SELECT soft_delete_user(%s)", [ann.id]) as deletion:
        user.run("COMMIT")
    assert deletion.result() == 1
    assert not stored(user).is_active
    assert user.value(TOUCH, [token]) is None


@pytest.mark.rule("OTH-05", "refuses")
@pytest.mark.parametrize("outcome", ["COMMIT", "ROLLBACK"])
def test_no_session_opens_for_a_user_who_is_just_being_deleted(connect: Callable[[], Person], outcome: str) -> None:
    ann, (user, other) = services(connect, 2)
    other.run("BEGIN")
    other.run("SELECT soft_delete_user(%s)", [ann.id])
    with blocked(user, other, OPEN, [ann.id]) as opening:
        other.run(outcome)
    if outcome == "ROLLBACK":
        assert opening.result() == 1
        assert stored(user).is_active
    else:
        with user.refused(sqlstate="P0002"):
            opening.result()
        assert user.rows("SELECT id FROM session_logs") == []


@pytest.mark.rule("OTH-05", "accepts")
def test_a_session_that_is_just_being_used_ends_with_its_user(connect: Callable[[], Person]) -> None:
    ann, (user, other) = services(connect, 2)
    for sql in (TOUCH, ROTATE):
        token = user.value(OPEN, [ann.id])
        user.run("BEGIN")
        used = user.value(sql, [token])
        with blocked(other, user, "SELECT soft_delete_user(%s)", [ann.id]) as deletion:
            user.run("COMMIT")
        assert deletion.result() == 1
        assert user.value(TOUCH, [token if sql == TOUCH else used]) is None
        assert user.value("SELECT count(*) FROM session_logs WHERE is_active") == 0
        user.run("RESET ROLE")
        user.run("UPDATE users SET deleted_at = NULL")
        user.run("SET ROLE service_role")
