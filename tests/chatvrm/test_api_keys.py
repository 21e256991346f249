"""API keys: made, told once, recognised, refused alike whatever is wrong, revoked; and written down nowhere."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from tests.chatvrm.world import User, World, build_world
from tests.people import Person, blocked, insert

CREATE = "SELECT * FROM create_api_key(%s, %s, %s)"
AUTHENTICATE = "SELECT * FROM authenticate_api_key(%s)"
REVOKE = "SELECT revoke_api_key(%s)"
LAST_USED = "SELECT last_used_at FROM api_keys WHERE id = %s"


def make(db: Person, user: User, name: str = "app", scopes: Any = (), expires_at: Any = None) -> Any:
    """Make a key as its user and return what is told: id, key and prefix."""
    with db.as_user(user.sub):
        return db.row(CREATE, [name, list(scopes), expires_at])


def use(db: Person, key: str | None) -> list[Any]:
    """Show a key as a service and return what comes."""
    with db.as_service():
        return db.rows(AUTHENTICATE, [key])


def digest(key: str) -> str:
    return sha256(key.encode()).hexdigest()


@contextmanager
def overheard(db: Person) -> Iterator[list[str]]:
    """Collect whatever the server has to say meanwhile, down to the least important."""
    said: list[str] = []

    def hear(diag: psycopg.errors.Diagnostic) -> None:
        said.append(spoken(diag))

    db.conn.add_notice_handler(hear)
    db.run("SET client_min_messages = debug1")
    db.run("SET log_statement_stats = on")
    try:
        yield said
    finally:
        db.run("RESET log_statement_stats")
        db.run("RESET client_min_messages")
        db.conn.remove_notice_handler(hear)


def spoken(diag: psycopg.errors.Diagnostic) -> str:
    """Return all that a message says."""
    fields = ["message_primary", "message_detail", "message_hint", "internal_query", "context", "statement_position"]
    return " ".join(str(getattr(diag, field)) for field in fields)


# Made and recognised


@pytest.mark.rule("VRM-04", "accepts")
def test_a_key_has_its_prefix_and_more_than_128_random_bits(db: Person, world: World) -> None:
    told = make(db, world.ann)
    match = re.fullmatch("cvrm_([0-9a-f]{8})_([0-9a-f]{64})", told.key)
    assert match is not None
    assert told.key_prefix == match[1]
    others = [make(db, world.ann).key for _ in range(20)]
    # Each UUID has 122 random bits: where each of these digits differs between some two keys, it is one of them.
    secrets = [key.split("_")[2] for key in [told.key, *others]]
    assert sum(len(set(digits)) > 1 for digits in zip(*secrets, strict=True)) >= 60
    assert len({key.split("_")[1] for key in others}) == len(others)


@pytest.mark.rule("VRM-04", "accepts")
def test_only_prefix_and_digest_of_a_key_are_kept(db: Person, world: World) -> None:
    told = make(db, world.ann, "my program", ["read", "write"], "2100-01-01Z")
    kept = db.row("SELECT * FROM api_keys")
    assert (kept.id, kept.user_id, kept.name, kept.scopes) == (told.id, world.ann.id, "my program", ["read", "write"])
    assert (kept.key_prefix, kept.key_hash) == (told.key_prefix, digest(told.key))
    assert (kept.is_active, kept.last_used_at) == (True, None)
    assert db.value("SELECT expires_at = '2100-01-01Z' FROM api_keys")
    with db.as_user(world.ann.sub):
        shown = db.row("SELECT * FROM api_keys_public")._asdict()
    assert shown == {name: value for name, value in kept._asdict().items() if name != "key_hash"}


@pytest.mark.rule("VRM-04", "accepts")
def test_a_key_is_recognised(db: Person, world: World) -> None:
    anns, bobs = make(db, world.ann, scopes=["read", "write"]), make(db, world.bob, expires_at="2100-01-01Z")
    assert use(db, anns.key) == [(world.ann.id, ["read", "write"])]
    assert use(db, bobs.key) == [(world.bob.id, [])]


@pytest.mark.rule("VRM-04", "accepts")
@pytest.mark.parametrize(
    ("name", "scopes"), [("x" * 255, []), ("ü", ["s" * 255]), (" a ", [f"s{n}" for n in range(99)])]
)
def test_names_and_scopes_of_any_kind(db: Person, world: World, name: str, scopes: list[str]) -> None:
    told = make(db, world.ann, name, scopes)
    assert db.row("SELECT name, scopes FROM api_keys WHERE id = %s", [told.id]) == (name, scopes)


@pytest.mark.rule("VRM-04", "accepts")
def test_the_expiry_may_be_left_out(db: Person, world: World) -> None:
    with db.as_user(world.ann.sub):
        db.run("SELECT create_api_key('app', '{}')")
        db.run("SELECT create_api_key(p_scopes => '{}', p_name => 'app', p_expires_at => 'infinity')")
        assert db.rows("SELECT expires_at IS NULL FROM api_keys_public ORDER BY 1") == [(False,), (True,)]


# Refused

SOON = "2100-01-01Z"
PAST = "2026-01-01Z"
BAD_KEYS: list[tuple[str | None, Any, str | None, str]] = [
    *((name, [], None, "api_keys_name_check") for name in (None, "", " ", "\u200b", "x" * 256, " " * 300)),
    *(("app", scopes, None, "api_keys_scopes_check") for scopes in (None, ["a", "a"], ["a", None], ["", ""])),
    *(("app", [], when, "api_keys_expires_at_check") for when in ("2020-01-01Z", "-infinity", "now")),
]


@pytest.mark.rule("VRM-04", "refuses")
@pytest.mark.parametrize(("name", "scopes", "expires_at", "constraint"), BAD_KEYS)
def test_a_key_of_another_form_is_not_made(
    db: Person, world: World, name: str, scopes: Any, expires_at: Any, constraint: str
) -> None:
    """Neither by a user nor by the owner, who would be shown the row that fails a CHECK."""
    db.run("SELECT set_config('request.jwt.claims', %s, TRUE)", [f'{{"sub": "{world.ann.sub}"}}'])
    for role in ("authenticated", "none"):
        db.run(f"SET LOCAL ROLE {role}")
        with db.refused(constraint, "23514") as caught:
            db.row(CREATE, [name, scopes, expires_at])
        assert caught.value.diag.message_hint
        assert caught.value.diag.message_detail is None
        assert not re.search("[0-9a-f]{32}|cvrm_", spoken(caught.value.diag))
    assert db.rows("SELECT id FROM api_keys") == []


@pytest.mark.rule("VRM-04", "refuses")
@pytest.mark.parametrize("scopes", [["s" * 256], ["read", "ü" * 300]])
def test_a_scope_too_long_is_refused_without_a_word_of_the_key(db: Person, world: World, scopes: list[str]) -> None:
    db.run("SELECT set_config('request.jwt.claims', %s, TRUE)", [f'{{"sub": "{world.ann.sub}"}}'])
    with db.refused(sqlstate="22001") as caught:
        db.row(CREATE, ["app", scopes, None])
    assert not re.search("[0-9a-f]{32}|cvrm_[0-9]", spoken(caught.value.diag))


@pytest.mark.rule("VRM-04", "refuses")
def test_who_is_no_user_makes_no_key(db: Person, world: World) -> None:
    for acting in (db.as_user("auth0|nobody"), db.as_service()):
        with acting, db.refused("api_keys_user_check", "42501"):
            db.row(CREATE, ["app", [], None])
    with db.as_anon(), db.refused(sqlstate="42501"):
        db.row(CREATE, ["app", [], None])
    with db.refused("api_keys_user_check", "42501"):
        db.row(CREATE, ["app", [], None])


@pytest.mark.rule("VRM-04", "refuses")
@pytest.mark.parametrize("spoil", ["is_active = FALSE", "expires_at = now()", "expires_at = created_at + '1 second'"])
def test_a_revoked_or_expired_key_is_not_recognised(db: Person, world: World, spoil: str) -> None:
    told = make(db, world.ann)
    db.run("UPDATE api_keys SET created_at = '2020-01-01Z'")
    assert len(use(db, told.key)) == 1
    db.run("UPDATE api_keys SET last_used_at = '2020-01-01Z'")
    db.run(f"UPDATE api_keys SET {spoil}")
    assert use(db, told.key) == []
    assert db.value("SELECT last_used_at = '2020-01-01Z' FROM api_keys"), "a refusal is no use of it"


def wrong_keys(db: Person, world: World) -> dict[str, str | None]:
    """One of each kind of key that is not to be recognised."""
    good, revoked, expired = (make(db, world.ann) for _ in range(3))
    db.run("UPDATE api_keys SET is_active = FALSE WHERE id = %s", [revoked.id])
    db.run("UPDATE api_keys SET created_at = '2020-01-01Z', expires_at = '2020-01-02Z' WHERE id = %s", [expired.id])
    _, prefix, secret = good.key.split("_")
    return {
        "unknown": f"cvrm_{uuid4().hex[:8]}_{uuid4().hex}{uuid4().hex}",
        "revoked": revoked.key,
        "expired": expired.key,
        "garbage": "' OR TRUE --\x01\u2603",
        "empty": "",
        "other prefix": f"cvrm_00000000_{secret}",
        "other secret": f"cvrm_{prefix}_{secret[:-1]}{'0' if secret[-1] != '0' else '1'}",
        "in capitals": good.key.upper(),
        "with a space": f"{good.key} ",
        "without its beginning": secret,
        "the digest": digest(good.key),
        "only the prefix": prefix,
        "wild": "cvrm_%",
        "very long": good.key * 2000,
        "null": None,
    }


@pytest.mark.rule("VRM-04", "refuses")
def test_a_thousand_wrong_keys_cost_the_same_whatever_is_wrong(connect: Callable[[], Person]) -> None:
    """No row, no error, and of ten thousand keys at most the one is read that the digest finds."""
    db = connect()
    world = build_world(db)
    db.run(
        "INSERT INTO api_keys (user_id, key_hash, key_prefix, name)"
        " SELECT %s, encode(sha256(n::text::bytea), 'hex'), n, 'n' FROM generate_series(1, 10000) AS n",
        [world.bob.id],
    )
    wrong = wrong_keys(db, world)
    db.run("VACUUM ANALYZE api_keys")
    read = (
        "SELECT seq_scan, coalesce(idx_scan, 0) AS looks, coalesce(idx_tup_fetch, 0) AS rows, n_tup_upd"
        " FROM pg_stat_xact_user_tables WHERE relid = 'api_keys'::regclass"
    )
    calls = 1000 // len(wrong) + 1
    for kind, key in wrong.items():
        db.run("BEGIN")
        before = db.row(read)
        with db.as_service():
            for _ in range(calls):
                assert db.rows(AUTHENTICATE, [key]) == [], kind
        after = db.row(read)
        db.run("COMMIT")
        assert after.seq_scan == before.seq_scan, kind
        assert after.n_tup_upd == before.n_tup_upd, kind
        assert after.looks - before.looks <= calls, kind
        assert after.rows - before.rows == (calls if kind in ("revoked", "expired") else 0), kind


@pytest.mark.rule("VRM-04", "refuses")
def test_a_user_shows_no_keys(db: Person, world: World) -> None:
    told = make(db, world.ann)
    for acting in (db.as_user(world.ann.sub), db.as_anon()):
        with acting, db.refused(sqlstate="42501"):
            db.rows(AUTHENTICATE, [told.key])


# The last use


@pytest.mark.rule("VRM-04", "accepts")
def test_the_first_use_is_stamped_and_the_next_after_a_minute(db: Person, world: World) -> None:
    told, other = make(db, world.ann), make(db, world.ann)
    use(db, told.key)
    assert db.value(LAST_USED, [told.id]) == db.value("SELECT now()")
    for age, stamped in [("59 seconds", False), ("1 minute", False), ("61 seconds", True), ("1 year", True)]:
        db.run("UPDATE api_keys SET last_used_at = now() - %s::interval WHERE id = %s", [age, told.id])
        assert len(use(db, told.key)) == 1
        assert (db.value(LAST_USED, [told.id]) == db.value("SELECT now()")) is stamped, age
    assert db.value(LAST_USED, [other.id]) is None


@pytest.mark.rule("VRM-04", "accepts")
def test_a_thousand_uses_in_a_minute_write_once(connect: Callable[[], Person]) -> None:
    db = connect()
    told = make(db, build_world(db).ann)
    version = "SELECT ctid::text, xmin::text FROM api_keys"
    made = db.row(version)
    assert len(use(db, told.key)) == 1
    stamped = db.row(version)
    assert stamped != made
    with db.as_service():
        for _ in range(999):
            assert len(db.rows(AUTHENTICATE, [told.key])) == 1
    assert db.row(version) == stamped


@pytest.mark.rule("VRM-04", "accepts")
def test_nobody_waits_to_use_a_key_that_another_session_is_just_using(connect: Callable[[], Person]) -> None:
    first, second = connect(), connect()
    told = make(first, build_world(first).ann)
    first.run("BEGIN")
    assert len(use(first, told.key)) == 1
    second.run("SET lock_timeout = '10ms'")
    assert len(use(second, told.key)) == 1
    assert second.value(LAST_USED, [told.id]) is None
    first.run("COMMIT")
    stamped = second.value(LAST_USED, [told.id])
    assert stamped is not None
    assert len(use(second, told.key)) == 1
    assert second.value(LAST_USED, [told.id]) == stamped


@pytest.mark.rule("VRM-04", "accepts")
def test_of_two_uses_at_once_one_is_stamped(connect: Callable[[], Person]) -> None:
    """The second looked before the first had stamped, and comes to the lock when the first has let go."""
    first, second = connect(), connect()
    told = make(first, build_world(first).ann)
    # A guard before the second's update gives the first the time for all of its own.
    first.run(
        "CREATE FUNCTION linger() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NULL; END $$"
    )
    first.run(
        "CREATE TRIGGER linger BEFORE UPDATE ON api_keys FOR EACH STATEMENT"
        " WHEN (current_setting('test.linger', TRUE) = 'on') EXECUTE FUNCTION linger()"
    )
    first.run("BEGIN")
    first.run("SELECT pg_advisory_xact_lock(1)")
    second.run("SET test.linger = 'on'")
    second.run("SET ROLE service_role")
    with blocked(second, first, AUTHENTICATE, [told.key]) as used:
        assert len(use(first, told.key)) == 1
        first.run("UPDATE api_keys SET last_used_at = now() - interval '1 second'")
        first.run("COMMIT")
        assert used.result(timeout=30) == 1
    assert first.value("SELECT last_used_at < now() - interval '1 second' FROM api_keys")


# The end of a key


@pytest.mark.rule("VRM-04", "accepts")
def test_a_key_is_revoked_by_its_user_or_a_service(db: Person, world: World) -> None:
    first, second, third = (make(db, world.ann) for _ in range(3))
    with db.as_user(world.ann.sub):
        db.run(REVOKE, [first.id])
        db.run(REVOKE, [first.id])
    with db.as_service():
        db.run(REVOKE, [second.id])
    assert [len(use(db, told.key)) for told in (first, second, third)] == [0, 0, 1]
    active = "SELECT is_active FROM api_keys WHERE id = %s"
    assert [db.value(active, [told.id]) for told in (first, second, third)] == [False, False, True]


@pytest.mark.rule("VRM-04", "refuses")
def test_a_key_of_somebody_else_is_like_none_at_all(db: Person, world: World) -> None:
    told = make(db, world.ann)
    messages = set()
    with db.as_user(world.bob.sub):
        for id in (told.id, uuid4()):
            with db.refused("api_keys_pkey", "P0002") as caught:
                db.run(REVOKE, [id])
            messages.add(spoken(caught.value.diag).replace(str(id), "…"))
        assert len(messages) == 1
        with db.refused("api_keys_pkey", "P0002"):
            db.run(REVOKE, [None])
    with db.as_service(), db.refused("api_keys_pkey", "P0002"):
        db.run(REVOKE, [uuid4()])
    with db.as_anon(), db.refused(sqlstate="42501"):
        db.run(REVOKE, [told.id])
    assert len(use(db, told.key)) == 1


@pytest.mark.rule("VRM-04", "accepts")
def test_keys_go_with_their_user(db: Person, world: World) -> None:
    anns, bobs = make(db, world.ann), make(db, world.bob)
    with db.as_service():
        db.run("DELETE FROM users WHERE id = %s", [world.ann.id])
    assert (use(db, anns.key), len(use(db, bobs.key))) == ([], 1)
    assert db.rows("SELECT id FROM api_keys") == [(bobs.id,)]


# Where a key is written down


@pytest.mark.rule("VRM-04", "refuses")
@pytest.mark.parametrize(
    "statement",
    [
        "SELECT id FROM api_keys",
        "SELECT key_hash FROM api_keys",
        "SELECT count(*) FROM api_keys",
        "INSERT INTO api_keys (user_id, key_hash, key_prefix, name) SELECT id, repeat('0', 64), '0', 'n' FROM users",
        "UPDATE api_keys SET is_active = TRUE",
        "DELETE FROM api_keys",
        "TRUNCATE api_keys",
        "UPDATE api_keys_public SET is_active = TRUE",
        "DELETE FROM api_keys_public",
    ],
)
def test_no_api_role_comes_to_the_table(db: Person, world: World, statement: str) -> None:
    make(db, world.ann)
    for acting in (db.as_service(), db.as_user(world.ann.sub), db.as_anon()):
        with acting, db.refused(sqlstate="42501"):
            db.run(statement)


@pytest.mark.rule("VRM-04", "refuses")
def test_a_service_that_is_granted_the_table_by_mistake_still_sees_nothing(db: Person, world: World) -> None:
    make(db, world.ann)
    db.run("GRANT SELECT, UPDATE, DELETE ON api_keys TO service_role, authenticated, anon")
    for acting in (db.as_service(), db.as_user(world.ann.sub), db.as_anon()):
        with acting:
            assert db.rows("SELECT id FROM api_keys") == []
            assert db.run("UPDATE api_keys SET name = 'x'") == 0
            assert db.run("DELETE FROM api_keys") == 0


@pytest.mark.rule("VRM-04", "refuses")
def test_one_sees_ones_own_keys_and_a_service_all(db: Person, world: World) -> None:
    anns, bobs = make(db, world.ann).id, make(db, world.bob).id
    seen = "SELECT array_agg(id ORDER BY created_at) FROM api_keys_public"
    with db.as_user(world.ann.sub):
        assert db.value(seen) == [anns]
        with db.refused(sqlstate="42703"):
            db.value("SELECT key_hash FROM api_keys_public")
    with db.as_user("auth0|nobody"):
        assert db.value(seen) is None
    with db.as_service():
        assert set(db.value(seen)) == {anns, bobs}
    with db.as_anon(), db.refused(sqlstate="42501"):
        db.value(seen)


@pytest.mark.rule("VRM-04", "refuses")
def test_no_column_of_any_table_or_view_holds_a_key(db: Person, world: World) -> None:
    """After all that can happen to keys, their digests are in one column, and the keys and their secrets in none."""
    told = [make(db, world.ann, expires_at=SOON) for _ in range(3)]
    for one in told:
        use(db, one.key)
    with db.as_user(world.ann.sub):
        db.run(REVOKE, [told[0].id])
    db.run("UPDATE api_keys SET name = 'renamed', expires_at = NULL WHERE id = %s", [told[1].id])
    db.run("UPDATE api_keys SET key_hash = %s WHERE id = %s", [digest("another"), told[1].id])
    db.run("DELETE FROM api_keys WHERE id = %s", [told[2].id])
    db.run("REFRESH MATERIALIZED VIEW character_stats")
    assert db.value("SELECT count(*) FROM audit_logs WHERE entity_type = 'api_keys'") == 6

    secrets = [digest("another")]
    for one in told:
        secrets += [one.key.split("_")[2], digest(one.key)]
    holding = set()
    relations = db.rows(
        "SELECT relname FROM pg_class WHERE relnamespace = %s::regnamespace AND relkind IN ('r', 'p', 'v', 'm')",
        [db.schema],
    )
    assert {"api_keys", "api_keys_public", "audit_logs", "published_characters", "character_stats"} <= {
        relation.relname for relation in relations
    }
    db.run("SELECT set_config('request.jwt.claims', %s, TRUE)", [f'{{"sub": "{world.ann.sub}"}}'])
    for (relation,) in relations:
        for (row,) in db.rows(f'SELECT to_jsonb(r) FROM "{relation}" AS r'):
            for column, value in row.items():
                if any(secret in str(value) for secret in secrets):
                    holding.add((relation, column))
    assert holding == {("api_keys", "key_hash")}


@pytest.mark.rule("VRM-04", "refuses")
def test_nothing_that_the_server_says_tells_a_key(db: Person, world: World) -> None:
    with overheard(db) as said:
        told = make(db, world.ann, scopes=["a"])
        use(db, told.key)
        use(db, f"{told.key}x")
        with db.as_user(world.bob.sub), db.refused(sqlstate="P0002"):
            db.run(REVOKE, [told.id])
        with db.as_user(world.ann.sub):
            db.run(REVOKE, [told.id])
        use(db, told.key)
    text = " ".join(said)
    assert "QUERY STATISTICS" in text, "the server is heard"
    for secret in (told.key, told.key.split("_")[2], digest(told.key)):
        assert secret not in text


@pytest.mark.rule("VRM-04", "refuses")
def test_no_function_gives_a_digest(db: Person, world: World) -> None:
    results = db.rows(
        "SELECT oid::regprocedure::text, pg_get_function_result(oid) AS result FROM pg_proc"
        " WHERE pronamespace = %s::regnamespace",
        [db.schema],
    )
    assert any(row.result == "TABLE(user_id uuid, scopes character varying[])" for row in results)
    assert [row for row in results if re.search("key_hash|api_keys", row.result)] == []


# The table itself


@pytest.mark.rule("VRM-04", "refuses")
@pytest.mark.parametrize(
    ("column", "value", "constraint"),
    [
        *(("key_hash", bad, "api_keys_key_hash_check") for bad in ("", "cvrm_1_2", "0" * 63, "0" * 65, "A" * 64)),
        ("name", " ", "api_keys_name_check"),
        ("scopes", ["a", "a"], "api_keys_scopes_check"),
        ("scopes", ["a", None], "api_keys_scopes_check"),
        ("expires_at", PAST[:-1] + " 00:00Z", "api_keys_expires_at_check"),
    ],
)
def test_the_table_keeps_digests_only_and_whole_rows(
    db: Person, world: World, column: str, value: Any, constraint: str
) -> None:
    row = {"user_id": world.ann.id, "key_hash": digest("x"), "key_prefix": "1", "name": "n", "created_at": PAST}
    with db.refused(constraint, "23514"):
        insert(db, "api_keys", **{**row, column: value})
    assert isinstance(insert(db, "api_keys", **row), UUID)


@pytest.mark.rule("VRM-04", "refuses")
@pytest.mark.parametrize(
    "column", ["id", "user_id", "key_hash", "key_prefix", "name", "scopes", "created_at", "is_active"]
)
def test_what_every_key_has_cannot_be_null(db: Person, world: World, column: str) -> None:
    row = {"user_id": world.ann.id, "key_hash": digest("x"), "key_prefix": "1", "name": "n"}
    with db.refused(sqlstate="23502") as caught:
        insert(db, "api_keys", **{**row, column: None})
    assert caught.value.diag.column_name == column


@pytest.mark.rule("VRM-04", "refuses")
def test_two_keys_never_share_a_digest_or_an_id(db: Person, world: World) -> None:
    told = make(db, world.ann)
    row = {"user_id": world.bob.id, "key_prefix": "1", "name": "n"}
    with db.refused("api_keys_key_hash_key", "23505"):
        insert(db, "api_keys", **row, key_hash=digest(told.key))
    with db.refused("api_keys_pkey", "23505"):
        insert(db, "api_keys", **row, key_hash=digest("x"), id=told.id)
    with db.refused("api_keys_user_id_fkey", "23503"):
        insert(db, "api_keys", **{**row, "user_id": uuid4()}, key_hash=digest("x"))
