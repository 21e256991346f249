"""Othello: what consent costs when something is shown, what triggers cost a message, and row-level security."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, NamedTuple
from uuid import UUID

import psycopg

from bench.measure import Row, at, count_row, pairs, ratio_row, timed
from bench.place import Place, Session
from runner.history.instances import Target
from runner.migrate.apply import apply

TITLE = "Othello"
NOTES = """\
- Data: users who each have a tier in every scope, as their sign-up gives them, and ten activities, two of which are
  suggestions that wait; some of them with conversations of 60 messages; and two persons with a long history: one may
  see all that waits for them, the other nothing. Inserted in a few statements by the owner, with all triggers, then
  vacuumed, analysed and read from memory.
- "As many plain rows" is `INSERT … SELECT` of the same rows into tables of the same columns and indexes, without
  triggers, foreign keys and checks, in one transaction.
- Times are taken as in the section on Hugo. "Written out" is the body of the function, sent by the owner; "the plain
  query" is also the owner's, and shows what waits whatever the tier.
- Where a row says so, the plan was looked at: the measurement fails when it reads a large table from end to end.
- A bare copy of messages has the same columns, indexes and rows. As in any client's INSERT the owner of the message is
  left out; the copies have to be told."""

# What a sign-up stores.
_HASH = "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHRzYWx0$RdescudvJCsgt3ub+b4dWRWJTmaaJObG7Jq0CqVSpqI"
ALLOWED = UUID("00000000-0000-4000-8000-00000000b19e")
REFUSED = UUID("00000000-0000-4000-8000-00000000b19f")
LARGE = {"users", "consent_tiers", "agent_activities", "conversations", "messages"}


@dataclass(frozen=True)
class Sizes:
    """How much data there is and how often each thing is measured."""

    users: int
    talkative: int
    long: int
    rounds: int
    calls: int
    slow_calls: int


FULL = Sizes(users=100_000, talkative=200, long=10_000, rounds=5, calls=200, slow_calls=10)
QUICK = Sizes(users=1_000, talkative=20, long=500, rounds=3, calls=20, slow_calls=2)

USERS_SQL = """
INSERT INTO users (email, password_hash)
SELECT 'user' || n || '@bench.example', %(hash)s FROM generate_series(1, %(users)s) AS n
"""
ACTIVITIES_SQL = """
INSERT INTO agent_activities (
    user_id, agent_name, activity_type, status, title, consent_tier_required, payload, created_at
)
SELECT
    u.id, 'FELLO',
    (ARRAY['suggestion', 'observation', 'analysis']::agent_activity_type[])[1 + n %% 3],
    (ARRAY['proposed', 'rejected', 'rejected', 'pending_consent', 'failed', 'rejected', 'executed', 'failed',
        'executed']::agent_activity_status[])[1 + n %% 9],
    'What an agent would like to do', (ARRAY[NULL, 'passive', 'suggestive']::consent_tier_level[])[1 + (u.id + n) %% 3],
    jsonb_build_object('scope', (ARRAY['global', 'health', 'social', 'finance'])[1 + (u.id + n) %% 4]),
    now() - (u.id + n) * interval '7 minutes'
FROM users AS u
CROSS JOIN generate_series(0, 9) AS n
"""
LONG_SQL = """
INSERT INTO users (external_id, email, password_hash)
VALUES (%(allowed)s, 'allowed@bench.example', %(hash)s), (%(refused)s, 'refused@bench.example', %(hash)s);
UPDATE consent_tiers AS ct SET tier_level = 'active' FROM users AS u
WHERE ct.user_id = u.id AND u.external_id = %(allowed)s;
INSERT INTO agent_activities (user_id, agent_name, activity_type, title, consent_tier_required, payload, created_at)
SELECT
    u.id, 'FELLO', 'suggestion', 'What an agent would like to do', 'suggestive',
    jsonb_build_object('scope', (ARRAY['global', 'health', 'social', 'finance'])[1 + n %% 4]),
    now() - n * interval '7 minutes'
FROM users AS u
CROSS JOIN generate_series(1, %(long)s) AS n
WHERE u.external_id IN (%(allowed)s, %(refused)s);
INSERT INTO conversations (user_id, created_at, updated_at)
SELECT u.id, t.at, t.at
FROM (
    SELECT s.id, s.external_id FROM users AS s ORDER BY s.external_id <> %(allowed)s, s.id LIMIT %(talkative)s + 1
) AS u
CROSS JOIN LATERAL generate_series(1, CASE WHEN u.external_id = %(allowed)s THEN %(long)s ELSE 10 END) AS n
CROSS JOIN LATERAL (SELECT now() - n * interval '3 hours') AS t (at);
INSERT INTO messages (conversation_id, user_id, role, content, created_at)
SELECT
    c.id, c.user_id, (ARRAY['user', 'assistant']::message_role[])[1 + m %% 2],
    'What is said here is about as long as a sentence in a chat usually is.', c.created_at + m * interval '1 minute'
FROM conversations AS c
INNER JOIN users AS u ON c.user_id = u.id
CROSS JOIN LATERAL generate_series(1, CASE WHEN u.external_id = %(allowed)s AND c.id %% 100 > 0 THEN 8 ELSE 60 END) AS m
"""

_PENDING = "a.activity_type = 'suggestion' AND a.status IN ('proposed', 'pending_consent')"
_TIER = (
    "SELECT t.tier_level FROM consent_tiers AS t WHERE t.user_id = $1::bigint AND t.scope = {} AND t.is_active = TRUE"
)
_MANY = "FROM generate_series(1, 1000)"
_CONTENT = "'user', 'I would like to know more.'"
STATEMENTS = {
    "tier": "SELECT effective_tier($1, $2)",
    "written_out": "SELECT coalesce(({}), ({}), 'passive')".format(_TIER.format("$2::text"), _TIER.format("'global'")),
    "pending": "SELECT * FROM pending_suggestions(20)",
    "pending_of": f"SELECT a.* FROM agent_activities AS a WHERE a.user_id = $1 AND {_PENDING}"
    " ORDER BY a.created_at DESC, a.id DESC LIMIT 20",
    "latest": "SELECT * FROM messages WHERE conversation_id = $1 ORDER BY created_at DESC LIMIT 50",
    "latest_of": "SELECT * FROM messages WHERE conversation_id = $1 AND user_id = $2 AND deleted_at IS NULL"
    " ORDER BY created_at DESC LIMIT 50",
    "count": "SELECT count(*) FROM messages",
    "count_of": "SELECT count(*) FROM messages WHERE user_id = $1 AND deleted_at IS NULL",
    "insert": f"INSERT INTO messages (conversation_id, role, content) VALUES ($1, {_CONTENT})",
    "insert_1000": f"INSERT INTO messages (conversation_id, role, content) SELECT $1, {_CONTENT} {_MANY}",
}
COPIES = {"bare": "without foreign keys", "keyed": "with foreign keys"}
COPY_STATEMENTS = {
    copy + suffix: f"INSERT INTO copy.{copy} (conversation_id, user_id, role, content) SELECT $1, $2, {_CONTENT} {rows}"
    for copy in COPIES
    for suffix, rows in (("", ""), ("_1000", _MANY))
}


class Human(NamedTuple):
    """A user, and conversations of theirs that have 60 messages."""

    id: int
    external_id: UUID
    conversations: list[int]


def measure(place: Place, quick: bool) -> Iterator[Row]:
    """Yield the rows."""
    sizes = QUICK if quick else FULL
    with ExitStack() as stack:
        url = stack.enter_context(place.database("othello"))
        apply(Target(url, ["othello"]))
        with psycopg.connect(url, autocommit=True) as conn:
            conn.execute("SET search_path = othello, platform, pg_temp")
            yield from _load(conn, sizes)
        owner, user, service = (stack.enter_context(closing(Session(url, "othello"))) for _ in range(3))
        for name, statement in {**STATEMENTS, **COPY_STATEMENTS}.items():
            owner.prepare(name, statement)
        people = [Human(*row) for row in owner.conn.execute(_PEOPLE_SQL)]
        long = next(one for one in people if one.external_id == ALLOWED)
        short = [one for one in people if one.conversations and one is not long]
        user.act_as(ALLOWED)
        for name, statement in STATEMENTS.items():
            user.prepare(name, statement)
        service.act_as_service()
        for name in ("insert", "insert_1000"):
            service.prepare(name, STATEMENTS[name])
        yield from _consent(owner, user, people, sizes)
        yield from _security(owner, user, short, long, sizes)
        yield from _messages(owner, {"user": user, "service_role": service}, long, sizes)


_PEOPLE_SQL = b"""
SELECT
    u.id, u.external_id,
    array(
        SELECT c.id FROM conversations AS c
        WHERE c.user_id = u.id AND (SELECT count(*) FROM messages AS m WHERE m.conversation_id = c.id) = 60
    )
FROM users AS u
WHERE u.id <= (SELECT min(id) + 399 FROM users) OR u.email IN ('allowed@bench.example', 'refused@bench.example')
ORDER BY u.id
"""


def _load(conn: psycopg.Connection[Any], sizes: Sizes) -> Iterator[Row]:
    """Fill the database, and yield what that takes against plain rows in bare copies in schema `copy`."""
    conn.execute("CREATE SCHEMA copy")
    values = {**asdict(sizes), "hash": _HASH, "allowed": ALLOWED, "refused": REFUSED}
    for what, sql, tables in (
        (f"{sizes.users:,} users with their {7 * sizes.users:,} tiers", USERS_SQL, ("users", "consent_tiers")),
        (f"{10 * sizes.users:,} activities", ACTIVITIES_SQL, ("agent_activities",)),
    ):
        ours = timed(partial(conn.execute, sql.encode(), values))
        for table in tables:
            conn.execute(f"CREATE TABLE copy.{table} (LIKE {table} INCLUDING DEFAULTS INCLUDING INDEXES)".encode())
        copied = "; ".join(f"INSERT INTO copy.{table} SELECT * FROM {table}" for table in tables)
        yield ratio_row(f"{what} : as many plain rows", [(ours, timed(partial(conn.execute, copied.encode())))])
        conn.execute("; ".join(f"DROP TABLE copy.{table}" for table in tables).encode())
    with psycopg.ClientCursor(conn) as cursor:
        cursor.execute(LONG_SQL.encode(), values)
    for copy in COPIES:
        conn.execute(
            f"CREATE TABLE copy.{copy} (LIKE messages INCLUDING DEFAULTS INCLUDING IDENTITY INCLUDING INDEXES);"
            f"INSERT INTO copy.{copy} SELECT * FROM messages;"
            f"SELECT setval(pg_get_serial_sequence('copy.{copy}', 'id'), (SELECT max(id) FROM messages))".encode()
        )
    conn.execute(
        b"ALTER TABLE copy.keyed ADD FOREIGN KEY (conversation_id, user_id) REFERENCES conversations (id, user_id),"
        b" ADD FOREIGN KEY (user_id) REFERENCES users (id)"
    )
    conn.execute("VACUUM (ANALYZE)")


def _consent(owner: Session, user: Session, people: list[Human], sizes: Sizes) -> Iterator[Row]:
    """Yield what asking for a tier and listing what waits take."""
    ordinary = [one for one in people if one.external_id not in (ALLOWED, REFUSED)]

    def tier(session: Session, name: str) -> Callable[[int], float]:
        def call(number: int) -> float:
            person = ordinary[number % len(ordinary)]
            if session is user:
                user.act_as(person.external_id)
            return session.time(name, person.id, ("health", "social", "nothing")[number % 3])

        return call

    found = pairs(sizes.rounds, sizes.calls, tier(user, "tier"), tier(owner, "written_out"))
    yield ratio_row("effective_tier, under RLS : written out, as owner", at(0.5, found))
    found = pairs(sizes.rounds, sizes.calls, tier(user, "written_out"), tier(owner, "written_out"))
    yield ratio_row("the same written out, under RLS : as owner", at(0.5, found))
    person = ordinary[0]
    user.act_as(person.external_id)
    # The plan of a function's body is that of the same query under the same policies.
    _indexed(user.plan("written_out", person.id, "nothing"))
    ours, other = user.plan("tier", person.id, "nothing"), owner.plan("written_out", person.id, "nothing")
    yield count_row(
        "effective_tier: 8 kB pages touched, all by index : written out", _pages(ours), _pages(other), at_most=20
    )

    def pending(session: Session, who: list[Human]) -> Callable[[int], float]:
        def call(number: int) -> float:
            person = who[number % len(who)]
            if session is owner:
                return owner.time("pending_of", person.id)
            user.act_as(person.external_id)
            return user.time("pending")

        return call

    allowed, refused = ([one for one in people if one.external_id == who] for who in (ALLOWED, REFUSED))
    for who, what, pages in (
        (ordinary, "2 waiting", 60),
        (allowed, f"{sizes.long:,} waiting", 120),
        (refused, f"{sizes.long:,} waiting, none allowed", None),
    ):
        calls = sizes.slow_calls if who == refused else sizes.calls
        found = pairs(sizes.rounds, calls, pending(user, who), pending(owner, who), warm_up=min(calls, 10))
        yield ratio_row(f"pending_suggestions(20), {what} : the plain query", at(0.5, found))
        user.act_as(who[0].external_id)
        ours, other = _indexed(user.plan("pending")), owner.plan("pending_of", who[0].id)
        text = f"pending_suggestions(20), {what}: 8 kB pages touched, all by index : the plain query"
        yield count_row(text, _pages(ours), _pages(other), at_most=pages)


def _security(owner: Session, user: Session, short: list[Human], long: Human, sizes: Sizes) -> Iterator[Row]:
    """Yield what row-level security costs."""

    def call(session: Session, name: str, who: list[Human]) -> Callable[[int], float]:
        def once(number: int) -> float:
            person = who[number % len(who)]
            given: list[int] = [] if name == "count" else [_conversation(person, number // len(who))]
            if session is user:
                user.act_as(person.external_id)
                return user.time(name, *given)
            return owner.time(name, *given) if name == "insert" else owner.time(f"{name}_of", *given, person.id)

        return once

    for who, label in ((short, "10 conversations"), ([long], f"{sizes.long:,} conversations")):
        for name, what in (
            ("latest", "latest 50 messages of a conversation"),
            ("count", "count of own messages"),
            ("insert", "insert of a message"),
        ):
            calls = 2 * sizes.slow_calls if name == "count" and who == [long] else sizes.calls
            found = pairs(sizes.rounds, calls, call(user, name, who), call(owner, name, who))
            yield ratio_row(f"{what}, {label}, RLS : without", at(0.5, found), at_most=1.2)
            person = who[0]
            user.act_as(person.external_id)
            if name != "insert":
                _indexed(user.plan(name, *([] if name == "count" else [_conversation(person, 0)])))


def _messages(owner: Session, sessions: dict[str, Session], long: Human, sizes: Sizes) -> Iterator[Row]:
    """Yield what the triggers and foreign keys of messages cost."""
    sessions["user"].act_as(ALLOWED)
    for suffix, what, calls in (("", "a message", sizes.calls), ("_1000", "1,000 messages at once", sizes.slow_calls)):
        for role, session in sessions.items():
            for copy, keys in COPIES.items():

                def ours(number: int, session: Session = session, name: str = f"insert{suffix}") -> float:
                    return session.time(name, _conversation(long, number))

                def other(number: int, name: str = f"{copy}{suffix}") -> float:
                    return owner.time(name, _conversation(long, number), long.id)

                found = pairs(sizes.rounds, calls, ours, other, warm_up=min(calls, 10))
                yield ratio_row(f"insert of {what} by {role} : into a bare copy {keys}", at(0.5, found))


def _conversation(person: Human, number: int) -> int:
    return person.conversations[number % len(person.conversations)]


def _pages(plan: dict[str, Any]) -> float:
    return float(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])


def _indexed(plan: dict[str, Any]) -> dict[str, Any]:
    """Return a plan that reads no large table from end to end; raise RuntimeError for another."""
    if plan["Node Type"] == "Seq Scan" and plan["Relation Name"] in LARGE:
        raise RuntimeError(f"{plan['Relation Name']} is read from end to end")
    for child in plan.get("Plans", ()):
        _indexed(child)
    return plan
