"""ChatVRM: messages partitioned by month against one table, the dashboard, knowledge by meaning, counters."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg

from bench.measure import Row, at, pairs, ratio_row
from bench.place import Place, Session
from bench.vectors import POOL_SQL, QUERIES_SQL, Searches, found_row, indexed
from runner.history.instances import Target
from runner.migrate.apply import apply

TITLE = "ChatVRM"
NOTES = """\
- Data: messages of 24 months in partitions of a month each, 20 in each conversation; the plain copy is one table with
  the same rows and indexes, and no triggers, foreign keys and checks.
- "Without triggers and keys" is the owner with `session_replication_role = replica`: what partitions alone cost.
- Latest 50: of a conversation, by its user under RLS, against the same query by the owner on the plain copy.
- The dashboard is a query for all characters of a user with the totals of `my_character_stats` and of the last 30 days
  in `character_analytics`; compared with counting conversations and messages of those days.
- Knowledge is searched as in the section on Thinking Partner: makers with few, more and many chunks in one table.
  "All compared" is the owner's sort of all chunks of the maker.
- Counters: refresh_character_counters() after 100 new conversations with 100 characters, against setting the counters
  of all characters by counting all conversations."""

MAKERS = tuple(UUID(f"00000000-0000-4000-8000-00000000c{n}a7") for n in range(3))
PATH = "chatvrm, platform, extensions, pg_temp"


@dataclass(frozen=True)
class Sizes:
    """How much data there is and how often each thing is measured."""

    characters: int
    conversations: int
    chunks: tuple[int, int, int]
    queries: int
    rounds: int
    calls: int
    slow_calls: int


FULL = Sizes(
    characters=1_000, conversations=250_000, chunks=(60, 1_000, 20_000), queries=40, rounds=5, calls=200, slow_calls=10
)
QUICK = Sizes(characters=100, conversations=2_000, chunks=(60, 300, 4_500), queries=4, rounds=3, calls=10, slow_calls=2)

# The first of the makers' characters has the knowledge; the others are talked to by everybody.
PEOPLE_SQL = """
INSERT INTO users (id, email, auth0_id)
SELECT u.id, u.id || '@bench.example', 'auth0|' || u.id FROM unnest(%(makers)s) AS u (id);
INSERT INTO users (email, auth0_id)
SELECT 'talker' || n || '@bench.example', 'auth0|talker' || n FROM generate_series(1, %(characters)s) AS n;
INSERT INTO characters (user_id, name, slug, system_prompt, status)
SELECT u.id, 'Knows', 'knows-' || u.id, 'Answer.', 'published' FROM unnest(%(makers)s) AS u (id);
INSERT INTO characters (user_id, name, slug, system_prompt, status)
SELECT (%(makers)s::uuid[])[CASE WHEN n <= 10 THEN 2 ELSE 3 END], 'Talks', 'talks-' || n, 'Talk.', 'published'
FROM generate_series(1, %(characters)s) AS n;
INSERT INTO knowledge_bases (user_id, character_id, name)
SELECT c.user_id, c.id, 'Facts' FROM characters AS c WHERE c.name = 'Knows';
INSERT INTO documents (knowledge_base_id, filename, file_type, status)
SELECT kb.id, 'facts.md', 'md', 'completed' FROM knowledge_bases AS kb
"""
# Loaded as a dump is, without triggers and foreign keys.
TALKS_SQL = """
SET session_replication_role = replica;
INSERT INTO conversations (character_id, user_id, started_at, message_count)
SELECT c.id, u.id, now() - interval '23 months' * n / %(conversations)s, 20
FROM generate_series(1, %(conversations)s) AS n
INNER JOIN (SELECT id, row_number() OVER (ORDER BY id) AS place FROM characters WHERE name = 'Talks') AS c
    ON c.place = 1 + n %% %(characters)s
INNER JOIN (SELECT id, row_number() OVER (ORDER BY id) AS place FROM users WHERE email LIKE 'talker%%') AS u
    ON u.place = 1 + n * 7919::bigint %% %(characters)s;
INSERT INTO messages (conversation_id, role, content, created_at, user_id, emotion)
SELECT
    c.id, (ARRAY['assistant', 'user'])[1 + m %% 2],
    'What is said here is about as long as a sentence in a chat usually is.',
    c.started_at + m * interval '1 minute', c.user_id, 'calm'
FROM conversations AS c
CROSS JOIN generate_series(1, 20) AS m;
CREATE SCHEMA copy;
CREATE TABLE copy.messages (LIKE messages INCLUDING DEFAULTS);
INSERT INTO copy.messages SELECT * FROM messages;
SET session_replication_role = origin
"""
CHUNKS_SQL = """
INSERT INTO document_chunks (document_id, content, embedding, chunk_index)
SELECT
    d.id, repeat('What a document says takes about four hundred tokens. ', 30),
    l2_normalize(common.v + centre.v + noise.v * sign.v), place
FROM unnest(%(makers)s::uuid[], %(chunks)s::int[], %(firsts)s::int[]) AS p (id, chunks, first_place)
INNER JOIN documents AS d ON p.id = d.user_id
CROSS JOIN LATERAL generate_series(p.first_place, p.first_place + p.chunks - 1) AS place
INNER JOIN pool AS common ON common.kind = 'common'
INNER JOIN pool AS centre ON centre.kind = 'centre' AND centre.n = place * 7919 %% 60
INNER JOIN pool AS noise ON noise.kind = 'noise' AND noise.n = place / 150
INNER JOIN pool AS sign ON sign.kind = 'sign' AND sign.n = place %% 150
"""
# Those of the search have the query first and character or maker second.
_DASHBOARD = """
SELECT c.id, c.name, c.status, c.updated_at, {totals}
FROM characters AS c
{joined}
WHERE c.user_id = $1
ORDER BY c.updated_at DESC
"""
_SAID = "'user', 'I would like to know more.'"
USERS_STATEMENTS = {
    "insert": f"INSERT INTO messages (conversation_id, role, content) VALUES ($1, {_SAID})",
    "latest": "SELECT * FROM get_conversation_messages($1)",
    "latest_query": "SELECT * FROM messages WHERE conversation_id = $1 ORDER BY created_at DESC LIMIT 50",
    "dashboard": _DASHBOARD.format(
        totals="s.total_conversations, s.avg_rating, a.conversations, a.messages",
        joined="LEFT JOIN my_character_stats AS s ON s.id = c.id LEFT JOIN LATERAL ("
        " SELECT sum(d.conversation_count) AS conversations, sum(d.message_count) AS messages"
        " FROM character_analytics AS d WHERE d.character_id = c.id AND d.date > current_date - 30) AS a ON TRUE",
    ),
    "search": "SELECT * FROM search_character_knowledge($2, $1, 5)",
    "search_10": "SELECT * FROM search_character_knowledge($2, $1, 10)",
}
OWNERS_STATEMENTS = {
    "insert_without": f"INSERT INTO messages (conversation_id, role, content) VALUES ($1, {_SAID})",
    "insert_plain": f"INSERT INTO copy.messages (conversation_id, role, content) VALUES ($1, {_SAID})",
    "latest_plain": "SELECT * FROM copy.messages WHERE conversation_id = $1 ORDER BY created_at DESC LIMIT 50",
    "dashboard_counted": _DASHBOARD.format(
        totals="t.conversations, t.rating, t.recent, t.messages",
        joined="LEFT JOIN LATERAL (SELECT count(*) AS conversations, avg(v.user_rating) AS rating,"
        " count(*) FILTER (WHERE v.started_at > current_date - 29) AS recent,"
        " (SELECT count(*) FROM messages AS m JOIN conversations AS w ON w.id = m.conversation_id"
        " WHERE w.character_id = c.id AND m.created_at > current_date - 29) AS messages"
        " FROM conversations AS v WHERE v.character_id = c.id) AS t ON TRUE",
    ),
    "compared": "SELECT id, content, (embedding <=> $1) + 0 AS distance FROM document_chunks"
    " WHERE user_id = $2 ORDER BY distance LIMIT 5",
    "bare": "SELECT id, content, embedding <=> $1 FROM document_chunks"
    " WHERE embedding IS NOT NULL AND $2::uuid IS NOT NULL ORDER BY embedding <=> $1 LIMIT 5",
    "talk": "INSERT INTO conversations (character_id, session_id)"
    " SELECT id, 'visitor' FROM characters WHERE name = 'Talks' ORDER BY id OFFSET $1 LIMIT 100",
    "refresh": "SELECT refresh_character_counters()",
    "recount": "UPDATE characters AS c SET conversation_count = v.conversations, rating_count = v.ratings,"
    " rating_sum = v.total, average_rating = v.total / nullif(v.ratings, 0) FROM ("
    "SELECT character_id, count(*) AS conversations, count(user_rating) AS ratings,"
    " coalesce(sum(user_rating::numeric), 0) AS total FROM ("
    "SELECT character_id, user_rating FROM conversations UNION ALL"
    " SELECT character_id, user_rating FROM archived_conversations) AS l GROUP BY character_id) AS v"
    " WHERE c.id = v.character_id",
}


def measure(place: Place, quick: bool) -> Iterator[Row]:
    """Yield the rows."""
    sizes = QUICK if quick else FULL
    with ExitStack() as stack:
        url = stack.enter_context(place.database("chatvrm"))
        apply(Target(url, ["chatvrm"]))
        with psycopg.connect(url, autocommit=True) as conn:
            searches = _load(conn, sizes)
        owner, user = (stack.enter_context(closing(Session(url, "chatvrm"))) for _ in range(2))
        for session in (owner, user):
            session.conn.execute(f"SET search_path = {PATH}".encode())
        user.act_as(f"auth0|{MAKERS[0]}")
        for name, statement in USERS_STATEMENTS.items():
            user.prepare(name, statement)
        for name, statement in OWNERS_STATEMENTS.items():
            owner.prepare(name, statement)
        yield from _messages(owner, user, sizes)
        yield from _dashboard(owner, user, sizes)
        yield from _knowledge(owner, user, searches, sizes)
        yield from _counters(owner, sizes)


def _load(conn: psycopg.Connection[Any], sizes: Sizes) -> Searches:
    """Fill the database; return queries of the kind that the chunks are of."""
    firsts = [sum(sizes.chunks[:place]) for place in range(3)]
    values = {
        "makers": [*MAKERS], "characters": sizes.characters, "conversations": sizes.conversations,
        "chunks": [*sizes.chunks], "firsts": firsts, "queries": sizes.queries,
    }  # fmt: skip
    conn.execute(f"SET search_path = {PATH}".encode())
    conn.execute("SET synchronous_commit = off; SET maintenance_work_mem = '1GB'; SET work_mem = '256MB'")
    # Shared memory, which several processes would need for it, is scarce in some containers.
    conn.execute("SET max_parallel_maintenance_workers = 0; SELECT setseed(0.5)")
    conn.execute(
        "SELECT create_message_partition((now() AT TIME ZONE 'UTC' - make_interval(months => n))::date)"
        " FROM generate_series(1, 24) AS n"
    )
    with psycopg.ClientCursor(conn) as cursor:
        cursor.execute(PEOPLE_SQL.encode(), values)
        without = _without_indexes(conn, "messages", "document_chunks")
        cursor.execute(TALKS_SQL.encode(), values)
        cursor.execute(POOL_SQL.encode())
        cursor.execute(CHUNKS_SQL.encode(), values)
        searches = cursor.execute(QUERIES_SQL.encode(), values).fetchall()
    for definition in without:
        conn.execute(definition.encode())
        if " ON ONLY chatvrm.messages " in definition or " ON chatvrm.messages " in definition:
            plain = definition.replace(" ON ONLY chatvrm.messages ", " ON copy.messages ")
            conn.execute(plain.replace(" ON chatvrm.messages ", " ON copy.messages ").encode())
    conn.execute("ALTER TABLE copy.messages ADD PRIMARY KEY (id, created_at)")
    conn.execute("SELECT refresh_character_counters(), backfill_character_analytics(), refresh_character_stats()")
    conn.execute("VACUUM (ANALYZE)")
    return [(str(related), str(unrelated)) for related, unrelated in searches]


def _without_indexes(conn: psycopg.Connection[Any], *tables: str) -> list[str]:
    """Drop the indexes of tables that no constraint needs, and return what makes them again."""
    found = conn.execute(
        "SELECT i.indexrelid::regclass::text, replace(pg_get_indexdef(i.indexrelid), ' ON ONLY ', ' ON ')"
        " FROM pg_index AS i WHERE i.indrelid = ANY (%s::regclass[])"
        " AND NOT EXISTS (SELECT 1 FROM pg_constraint AS k WHERE k.conindid = i.indexrelid)",
        [list(tables)],
    ).fetchall()
    for name, _ in found:
        conn.execute(f"DROP INDEX {name}".encode())
    return [definition for _, definition in found]


def _messages(owner: Session, user: Session, sizes: Sizes) -> Iterator[Row]:
    """Yield what inserting and reading messages takes, partitioned and not."""
    talks = {
        "this month's": "started_at > now() - interval '1 week'",
        "20 months old": "started_at < now() - interval '20 months'",
    }
    found = {
        what: owner.conn.execute(
            "SELECT c.id, u.auth0_id FROM conversations AS c INNER JOIN users AS u ON c.user_id = u.id"
            f" WHERE c.{condition} ORDER BY c.id LIMIT 100".encode()
        ).fetchall()
        for what, condition in talks.items()
    }

    def by_user(name: str, conversations: list[Any]) -> Callable[[int], float]:
        def once(number: int) -> float:
            conversation, sub = conversations[number % len(conversations)]
            user.act_as(sub)
            return user.time(name, conversation)

        return once

    def by_owner(name: str, conversations: list[Any]) -> Callable[[int], float]:
        return lambda number: owner.time(name, conversations[number % len(conversations)][0])

    rows = f"{sizes.conversations * 20:,} messages"
    for what, conversations in found.items():
        plain = by_owner("latest_plain", conversations)
        for name, how in (("latest", "get_conversation_messages"), ("latest_query", "latest 50 by a query")):
            times = pairs(sizes.rounds, sizes.calls, by_user(name, conversations), plain)
            yield ratio_row(f"{how}, {what}, {rows} : plain copy without RLS", at(0.5, times))
    new = found["this month's"]
    owner.conn.execute("SET session_replication_role = replica")
    times = pairs(sizes.rounds, sizes.calls, by_owner("insert_without", new), by_owner("insert_plain", new))
    yield ratio_row(f"insert into {rows}, without triggers and keys : plain copy", at(0.5, times))
    owner.conn.execute("SET session_replication_role = origin")
    times = pairs(sizes.rounds, sizes.calls, by_user("insert", new), by_owner("insert_plain", new))
    yield ratio_row(f"insert into {rows}, by a user under RLS : plain copy", at(0.5, times))


def _dashboard(owner: Session, user: Session, sizes: Sizes) -> Iterator[Row]:
    maker = MAKERS[1]
    user.act_as(f"auth0|{maker}")
    times = pairs(
        sizes.rounds,
        2,
        lambda _: user.time("dashboard", maker),
        lambda _: owner.time("dashboard_counted", maker),
        warm_up=1,
    )
    yield ratio_row(f"dashboard of 11 characters, {sizes.conversations * 20:,} messages : counted", at(0.5, times))


def _knowledge(owner: Session, user: Session, searches: Searches, sizes: Sizes) -> Iterator[Row]:
    """Yield what searches find, and what they take against comparing everything and against the bare index."""
    characters = dict(owner.conn.execute("SELECT user_id, id FROM characters WHERE name = 'Knows'").fetchall())
    exact = b"SELECT id FROM document_chunks WHERE user_id = %s ORDER BY (embedding <=> %s::vector) + 0 LIMIT 10"
    for maker, rows in zip(MAKERS, sizes.chunks, strict=True):
        user.act_as(f"auth0|{maker}")
        character = characters[maker]
        what = f"search_character_knowledge, {rows:,} chunks"

        def best(query: str, maker: UUID = maker) -> list[Any]:
            return owner.conn.execute(exact, [maker, query]).fetchall()

        def ten(query: str, character: UUID = character) -> list[Any]:
            call = USERS_STATEMENTS["search_10"].replace("$1", "%s").replace("$2", "%s")
            return [row[:1] for row in user.conn.execute(call.encode(), [character, query])]

        yield found_row(f"{what}: rows and recall@10", searches, ten, best)
        calls = sizes.slow_calls * (1 if maker == MAKERS[2] else 5)

        def search(number: int, character: UUID = character) -> float:
            return user.time("search", searches[number % len(searches)][0], character)

        def compared(number: int, maker: UUID = maker) -> float:
            return owner.time("compared", searches[number % len(searches)][0], maker)

        found = pairs(sizes.rounds, calls, search, compared, warm_up=min(calls, 10))
        for share, part in ((0.5, "p50"), (0.95, "p95")):
            yield ratio_row(f"{what}, {part} : all compared", at(share, found))
        # The planner believes that a sort of the whole table is cheaper.
        owner.conn.execute("SET enable_seqscan = off; SET enable_sort = off; SET jit = off")
        indexed(owner.plan("bare", searches[0][0], maker), "document_chunks")
        found = pairs(
            sizes.rounds,
            calls,
            search,
            lambda number, maker=maker: owner.time("bare", searches[number % len(searches)][0], maker),  # type: ignore[misc]
            warm_up=min(calls, 10),
        )
        yield ratio_row(f"{what}, p50 : the bare index", at(0.5, found))
        owner.conn.execute("RESET enable_seqscan; RESET enable_sort; RESET jit")


def _counters(owner: Session, sizes: Sizes) -> Iterator[Row]:
    def refresh(number: int) -> float:
        owner.time("talk", number * 100 % sizes.characters)
        return owner.time("refresh")

    def recount(_: int) -> float:
        return owner.time("recount")

    found = pairs(sizes.rounds, sizes.slow_calls, refresh, recount, warm_up=2)
    conversations = f"{sizes.conversations:,} conversations"
    yield ratio_row(f"refresh_character_counters, 100 of {conversations} new : full recount", at(0.5, found))
