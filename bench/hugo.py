"""Hugo: demo data, the two hot paths against the document's own SQL, and what row-level security costs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg

from bench.measure import Pair, Row, at, count_row, pairs, ratio_row, time_row, timed
from bench.place import Place, Session
from runner.history.instances import Target
from runner.migrate.apply import apply
from runner.migrate.seed import seed

TITLE = "Hugo"
NOTES = """\
- Data: `companion seed hugo --demo --scale N` (5 people with 10 conversations of 20 messages for each step of the
  scale), one more person with a long history, and generated knowledge entries of about 60 words, whose frequencies
  follow Zipf's law. Vacuumed and analysed once, then read from memory.
- "As many plain rows" is `INSERT … SELECT` of what the demo data has put into each table into tables of the same
  columns and indexes, without triggers, foreign keys and checks, in one transaction.
- Times are those of a client on the same machine, over a Unix socket, from sending a prepared statement to its last
  row, the converting of values in Python not included; an empty statement is listed for scale. Commits of single
  inserts do not wait for the disk.
- The document's statements run as they stand there, as the owner, whom no policy concerns (also where ours run under
  RLS), on the same tables, which have all of the document's indexes.
- "Without" RLS is the owner with an explicit `user_id = $1`, what a service without row-level security would write;
  under RLS the statement has no such condition. An insert is the same statement on both sides, with all triggers on.
- Setting role and token is no part of the times: a service does it once for each request."""

LONG = UUID("00000000-0000-4000-8000-00000000b19e")
APP = "hugo_career"
TABLES = ("users", "user_progress", "conversations", "messages", "user_memories")


@dataclass(frozen=True)
class Sizes:
    """How much data there is and how often each thing is measured."""

    scale: int
    loads: int
    long_conversations: int
    entries: int
    rounds: int
    calls: int
    slow_calls: int


FULL = Sizes(scale=1000, loads=2, long_conversations=10_000, entries=30_000, rounds=5, calls=200, slow_calls=6)
QUICK = Sizes(scale=10, loads=3, long_conversations=1_000, entries=2_000, rounds=3, calls=40, slow_calls=3)

# Word number n is as frequent as 1/n; the number is spelt in consonants, which the stemmer leaves alone.
_WORD = "translate(floor(3000 ^ random())::int::text, '0123456789', 'bcdfghjklm')"
KNOWLEDGE_SQL = f"""
INSERT INTO knowledge_entries (knowledge_base_id, title, content, category, tags, section_number)
SELECT
    (SELECT array_agg(kb.id ORDER BY kb.kb_id) FROM knowledge_bases AS kb)[1 + n %% 3],
    (SELECT string_agg({_WORD}, ' ') FROM generate_series(1, 4) WHERE n > 0),
    (SELECT string_agg({_WORD}, ' ') FROM generate_series(1, 60) WHERE n > 0),
    (ARRAY['principles', 'techniques', 'examples'])[1 + n %% 3],
    ARRAY[{_WORD}, 'tag'],
    n
FROM generate_series(1, %(entries)s) AS n
"""
LONG_SQL = """
INSERT INTO users (id, oriva_user_id, email) VALUES (%(user)s, gen_random_uuid(), 'long@bench.example');
INSERT INTO user_progress (user_id, app_id) SELECT %(user)s, a.id FROM apps AS a WHERE a.app_id = %(app)s;
INSERT INTO conversations (session_id, user_id, app_id, created_at, last_message_at)
SELECT gen_random_uuid(), %(user)s, a.id, t.at, t.at
FROM apps AS a
CROSS JOIN generate_series(1, %(conversations)s) AS n
CROSS JOIN LATERAL (SELECT now() - n * interval '30 minutes') AS t (at)
WHERE a.app_id = %(app)s;
INSERT INTO messages (conversation_id, user_id, app_id, role, content, tokens_used, created_at)
SELECT
    c.id, c.user_id, c.app_id, (ARRAY['user', 'assistant'])[1 + m %% 2],
    'What is said here is about as long as a sentence in a chat usually is.', 12, c.created_at + m * interval '1 minute'
FROM conversations AS c
CROSS JOIN generate_series(1, 10) AS m
WHERE c.user_id = %(user)s
"""

# The document's statements as they stand there, lines joined.
DOCUMENT_CHAT_SQL = """
SELECT a.app_id, a.display_name, ps.schema as personality_schema, array_agg(DISTINCT kb.kb_id) as knowledge_bases,
  (SELECT array_agg(m.* ORDER BY m.created_at DESC)
    FROM messages m
    JOIN conversations c ON c.id = m.conversation_id
    WHERE c.user_id = $2 AND c.app_id = a.id
    LIMIT 10
  ) as recent_messages,
  up.progress_data, up.current_focus_area
FROM apps a
JOIN personality_schemas ps ON ps.id = a.personality_schema_id
LEFT JOIN knowledge_bases kb ON kb.kb_id = ANY(a.knowledge_base_ids)
LEFT JOIN user_progress up ON up.user_id = $2 AND up.app_id = a.id
WHERE a.app_id = $1
GROUP BY a.id, ps.id, up.id
"""
DOCUMENT_SEARCH_SQL = """
SELECT ke.id, ke.title, ke.content, ke.category,
  ts_rank(ke.search_vector, websearch_to_tsquery('english', $1)) as relevance
FROM knowledge_entries ke
JOIN knowledge_bases kb ON kb.id = ke.knowledge_base_id
WHERE kb.kb_id = ANY(SELECT unnest(knowledge_base_ids) FROM apps WHERE app_id = $2)
  AND ke.search_vector @@ websearch_to_tsquery('english', $1)
ORDER BY relevance DESC
LIMIT $3
"""

STATEMENTS = {
    "nothing": "SELECT",
    "chat": "SELECT * FROM get_chat_context($1, $2)",
    "document_chat": DOCUMENT_CHAT_SQL,
    "search": "SELECT * FROM search_knowledge($1, $2, $3)",
    "document_search": DOCUMENT_SEARCH_SQL,
    "latest": "SELECT * FROM messages ORDER BY created_at DESC LIMIT 50",
    "latest_of": "SELECT * FROM messages WHERE user_id = $1 ORDER BY created_at DESC LIMIT 50",
    "count": "SELECT count(*) FROM messages",
    "count_of": "SELECT count(*) FROM messages WHERE user_id = $1",
    "insert": "INSERT INTO messages (conversation_id, role, content) VALUES ($1, 'user', 'I would like to know more.')",
}
BARE_INSERT_SQL = """
INSERT INTO copy.messages (conversation_id, user_id, app_id, role, content)
VALUES ($1, $2, $3, 'user', 'I would like to know more.')
"""


def measure(place: Place, quick: bool) -> Iterator[Row]:
    """Yield the rows."""
    sizes = QUICK if quick else FULL
    with ExitStack() as stack:
        loads: list[Pair] = []
        for number in range(sizes.loads):
            # The last database stays for what follows.
            stack.close()
            url = stack.enter_context(place.database(f"hugo_{number}"))
            loads.append(_load(url, sizes.scale))
        what = f"demo data with {1000 * sizes.scale:,} messages"
        yield time_row(what, [ours for ours, _ in loads], below=60)
        yield ratio_row(f"{what} : as many plain rows", loads)

        _fill(url, sizes)
        owner, user = (stack.enter_context(closing(Session(url, "hugo"))) for _ in range(2))
        for name, statement in STATEMENTS.items():
            owner.prepare(name, statement)
        owner.prepare("bare_insert", BARE_INSERT_SQL)
        user.act_as(LONG)
        for name, statement in STATEMENTS.items():
            user.prepare(name, statement)
        people = [(UUID(str(row[0])), str(row[1])) for row in owner.conn.execute(_PEOPLE_SQL)]
        yield from _hot_paths(owner, user, people, sizes)
        yield from _security(owner, user, people, sizes)


_PEOPLE_SQL = b"""
SELECT up.user_id, a.app_id FROM user_progress AS up JOIN apps AS a ON a.id = up.app_id
WHERE up.total_conversations = 10 ORDER BY up.user_id LIMIT 200
"""


def _load(url: str, scale: int) -> Pair:
    """Return the seconds of loading the demo data, and of inserting the same rows into bare copies in schema `copy`."""
    apply(Target(url, ["hugo"]))
    ours = timed(lambda: seed(Target(url, ["hugo"]), scale=scale))
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("CREATE SCHEMA copy")
        for table in TABLES:
            conn.execute(f"CREATE TABLE copy.{table} (LIKE hugo.{table} INCLUDING DEFAULTS INCLUDING INDEXES)".encode())
        inserts = "; ".join(f"INSERT INTO copy.{table} SELECT * FROM hugo.{table}" for table in TABLES)
        return ours, timed(lambda: conn.execute(f"BEGIN; {inserts}; COMMIT".encode()))


def _fill(url: str, sizes: Sizes) -> None:
    """Add the person with a long history and the knowledge entries."""
    with closing(Session(url, "hugo")) as session:
        session.conn.execute("SELECT setseed(0.5)")
        session.conn.execute(KNOWLEDGE_SQL.encode(), {"entries": sizes.entries})
        with psycopg.ClientCursor(session.conn) as cursor:
            values = {"user": LONG, "app": APP, "conversations": sizes.long_conversations}
            cursor.execute(LONG_SQL.encode(), values)
        session.conn.execute("VACUUM (ANALYZE)")


def _hot_paths(owner: Session, user: Session, people: list[tuple[UUID, str]], sizes: Sizes) -> Iterator[Row]:
    """Yield what get_chat_context() and search_knowledge() take against the document's statements."""
    yield time_row("an empty statement", [owner.time("nothing") for _ in range(1000)][10:])

    def chat(session: Session, name: str, who: Callable[[int], tuple[UUID, str]]) -> Callable[[int], float]:
        def call(number: int) -> float:
            person, app = who(number)
            if session is user:
                user.act_as(person)
            return session.time(name, app, person)

        return call

    def search(session: Session, name: str) -> Callable[[int], float]:
        return lambda number: session.time(name, QUERIES[number % len(QUERIES)], APP, 10)

    def short(number: int) -> tuple[UUID, str]:
        return people[number % len(people)]

    def long(_: int) -> tuple[UUID, str]:
        return LONG, APP

    cases = (
        ("get_chat_context, 200 messages", "chat", sizes.calls, lambda s, name: chat(s, name, short)),
        (f"get_chat_context, {10 * sizes.long_conversations:,} messages", "chat", sizes.slow_calls,
         lambda s, name: chat(s, name, long)),
        (f"search_knowledge, {sizes.entries:,} entries", "search", 2 * len(QUERIES), search),
    )  # fmt: skip
    for what, name, calls, make in cases:
        for session, role in ((owner, "as owner"), (user, "under RLS")):
            found = pairs(
                sizes.rounds, calls, make(session, name), make(owner, f"document_{name}"), warm_up=min(calls, 10)
            )
            for share, label in ((0.5, "p50"), (0.95, "p95")):
                yield ratio_row(f"{what}, {role}, {label} : document", at(share, found))

    user.act_as(LONG)
    ours, document = user.plan("chat", APP, LONG), owner.plan("document_chat", APP, LONG)
    yield count_row(f"{cases[1][0]}: messages read : document", _rows(ours), _rows(document), at_most=10)
    yield count_row(f"{cases[1][0]}: 8 kB pages touched : document", _pages(ours), _pages(document), at_most=100)


def _security(owner: Session, user: Session, people: list[tuple[UUID, str]], sizes: Sizes) -> Iterator[Row]:
    """Yield what row-level security costs, and what the triggers of messages cost."""
    conversations: dict[UUID, list[tuple[UUID, UUID]]] = {}
    for person, conversation, app in owner.conn.execute(_OPEN_SQL, [[*(person for person, _ in people), LONG]]):
        conversations.setdefault(person, []).append((conversation, app))
    short = [person for person, _ in people if person in conversations]

    def insert(session: Session, who: list[UUID]) -> Callable[[int], float]:
        def call(number: int) -> float:
            person = who[number % len(who)]
            if session is user:
                user.act_as(person)
            own = conversations[person]
            return session.time("insert", own[number // len(who) % len(own)][0])

        return call

    def read(session: Session, name: str, who: list[UUID]) -> Callable[[int], float]:
        def call(number: int) -> float:
            person = who[number % len(who)]
            if session is owner:
                return owner.time(f"{name}_of", person)
            user.act_as(person)
            return user.time(name)

        return call

    for who, label in ((short, "10 conversations"), ([LONG], f"{sizes.long_conversations:,} conversations")):
        for name, what in (("latest", "latest 50 messages"), ("count", "count of own messages")):
            # Counting a long history takes a hundred times as long as all the rest.
            calls = 2 * sizes.slow_calls if name == "count" and who == [LONG] else sizes.calls
            found = pairs(sizes.rounds, calls, read(user, name, who), read(owner, name, who))
            yield ratio_row(f"{what}, {label}, RLS : without", at(0.5, found), at_most=1.2)
        found = pairs(sizes.rounds, sizes.calls, insert(user, who), insert(owner, who))
        yield ratio_row(f"insert of a message, {label}, RLS : without", at(0.5, found), at_most=1.2)

    def bare(number: int) -> float:
        conversation, app = conversations[LONG][number % len(conversations[LONG])]
        return owner.time("bare_insert", conversation, LONG, app)

    found = pairs(sizes.rounds, sizes.calls, insert(owner, [LONG]), bare)
    yield ratio_row("insert of a message with all triggers : into a bare copy", at(0.5, found))


_OPEN_SQL = b"""
SELECT c.user_id, c.id, c.app_id FROM conversations AS c WHERE c.closed_at IS NULL AND c.user_id = ANY(%s) ORDER BY c.id
"""


def _pages(plan: dict[str, Any]) -> float:
    return float(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])


def _rows(plan: dict[str, Any]) -> float:
    """Return how many rows of messages the scans of a plan read, those that a filter threw away included."""
    own = 0.0
    if plan.get("Relation Name") == "messages":
        own = (plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0)) * plan["Actual Loops"]
    return own + sum(_rows(child) for child in plan.get("Plans", ()))


def _query(*ranks: int, joined: str = " ") -> str:
    return joined.join(str(rank).translate(str.maketrans("0123456789", "bcdfghjklm")) for rank in ranks)


# Frequent and rare words alone, together, as alternatives, as a phrase and with an exclusion.
QUERIES = [
    *(_query(rank) for rank in (60, 150, 400, 1000, 2500)),
    *(_query(rank, 5 * rank) for rank in (20, 50, 100, 300, 500)),
    *(_query(rank, 2 * rank, joined=" or ") for rank in (200, 500, 900, 1400)),
    *(f'"{_query(rank, 3)}"' for rank in (15, 80, 240)),
    *(_query(rank, 30, joined=" -") for rank in (120, 350, 1200)),
]
