"""Thinking Partner: vector search for few and many rows, appending to a session, and row-level security."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from itertools import count
from typing import Any
from uuid import UUID

import psycopg

from bench.measure import Row, at, pairs, ratio_row
from bench.place import Place, Session
from bench.vectors import POOL_SQL, QUERIES_SQL, Searches, found_row, indexed
from runner.history.instances import Target
from runner.migrate.apply import apply

TITLE = "Thinking Partner"
NOTES = """\
- Data: three people with few, more and many memories, all in one table, and each with one document of about as many
  chunks.
  Embeddings are in clusters: 0.6 · what all have in common + 0.6 · one of 60 centres + 0.55 · noise, of length 1;
  queries are made in the same way, "an unrelated query" is noise alone. The vector indexes are built after loading.
- All searches are those of role `authenticated` with a token, under RLS, without a threshold, as the document's query
  has none, except where a row says so. "The document" is its own query as it stands there, sent by the same user; of
  search_chunks, for which it has none, the same query over all documents. "The bare index" is the owner's
  `ORDER BY embedding <=> … LIMIT n` over everybody's rows with the columns of the function: nothing that uses the
  index can be faster, and what it finds are not the user's.
- Rows and recall are means over all queries, and met only when no query comes up short; recall is the share of what
  sorting all of the user's rows gives.
- Times are taken as in the section on Hugo. "Without" RLS is the owner with an explicit `user_id = $1`.
- Each message is appended to the same session; a bare copy of session_messages has the same columns, indexes and rows,
  and no triggers, foreign keys and checks; it has to be told user and number."""

PEOPLE = tuple(UUID(f"00000000-0000-4000-8000-00000000b1{n}e") for n in range(3))
PATH = "thinking_partner, platform, extensions, pg_temp"


@dataclass(frozen=True)
class Sizes:
    """How much data there is and how often each thing is measured."""

    memories: tuple[int, int, int]
    chunks: tuple[int, int, int]
    talkative: int
    long: int
    queries: int
    rounds: int
    calls: int
    slow_calls: int


FULL = Sizes(
    memories=(60, 1_000, 20_000), chunks=(60, 1_000, 20_000), talkative=200, long=10_000, queries=40,
    rounds=5, calls=200, slow_calls=10,
)  # fmt: skip
QUICK = Sizes(
    memories=(60, 300, 4_500), chunks=(60, 300, 1_000), talkative=20, long=500, queries=4,
    rounds=3, calls=10, slow_calls=2,
)  # fmt: skip

PEOPLE_SQL = """
INSERT INTO auth.users (id, email)
SELECT u.id, u.id || '@bench.example' FROM unnest(%(people)s) AS u (id);
INSERT INTO auth.users (email)
SELECT 'talkative' || n || '@bench.example' FROM generate_series(1, %(talkative)s) AS n;
INSERT INTO documents (user_id, filename, file_type)
SELECT u.id, 'notes.md', 'md' FROM unnest(%(people)s) AS u (id)
"""
MEMORIES_SQL = """
INSERT INTO memories (user_id, content, embedding, tags, importance)
SELECT
    %(user)s, 'What is remembered is about as long as a sentence usually is, sometimes two.',
    l2_normalize(common.v + centre.v + noise.v * sign.v), '{work}', random()
FROM generate_series(%(first)s::int, %(first)s::int + %(rows)s::int - 1) AS place
INNER JOIN pool AS common ON common.kind = 'common'
INNER JOIN pool AS centre ON centre.kind = 'centre' AND centre.n = place * 7919 %% 60
INNER JOIN pool AS noise ON noise.kind = 'noise' AND noise.n = place / 150
INNER JOIN pool AS sign ON sign.kind = 'sign' AND sign.n = place %% 150
"""
CHUNKS_SQL = """
INSERT INTO chunks (document_id, user_id, content, embedding, chunk_index, page_number, token_count)
SELECT
    d.id, d.user_id, repeat('What a document says takes about four hundred tokens. ', 30), m.embedding, n, 1, 400
FROM unnest(%(people)s, %(chunks)s) AS p (id, chunks)
INNER JOIN documents AS d ON p.id = d.user_id
CROSS JOIN LATERAL (
    SELECT o.embedding, row_number() OVER () - 1 AS n FROM memories AS o WHERE o.user_id = p.id LIMIT p.chunks
) AS m
"""
SESSIONS_SQL = """
INSERT INTO chat_sessions (user_id, started_at, created_at)
SELECT u.id, t.at, t.at
FROM auth.users AS u
CROSS JOIN LATERAL generate_series(1, CASE WHEN u.id = %(long_user)s THEN %(long)s ELSE 10 END) AS n
CROSS JOIN LATERAL (SELECT now() - n * interval '3 hours') AS t (at);
INSERT INTO session_messages (session_id, user_id, role, content, sequence_number, created_at)
SELECT
    s.id, s.user_id, (ARRAY['assistant', 'user'])[1 + m %% 2],
    'What is said here is about as long as a sentence in a chat usually is.', m, s.started_at + m * interval '1 minute'
FROM chat_sessions AS s
CROSS JOIN generate_series(1, 20) AS m
"""
_MEMORY = "id, content, tags, entities, importance, source_type, project_id, created_at"
_CHUNK = "id, content, chunk_index, page_number, metadata"
_SAID = "'user', 'I would like to know more.'"
# The document's queries as they stand there, lines joined.
DOCUMENT_MEMORIES_SQL = """
SELECT *,
       (1 - (embedding <=> $1)) * 0.7 + importance * 0.3 AS relevance
FROM memories
WHERE user_id = $2
  AND is_active = true
  AND (project_id IS NULL OR project_id = $3)
  AND embedding IS NOT NULL
ORDER BY relevance DESC
LIMIT 20
"""
DOCUMENT_CHUNKS_SQL = """
SELECT * FROM chunks
WHERE document_id = $2
ORDER BY (1 - (embedding <=> $1)) DESC
LIMIT {}
"""
# Those of the searches have the query first and the user or document second, whether they need it or not.
STATEMENTS = {
    "search_memories": "SELECT * FROM search_memories($1, $2, NULL, 20, -1)",
    "search_memories_default": "SELECT * FROM search_memories($1, $2)",
    "search_memories_document": DOCUMENT_MEMORIES_SQL.replace("$3", "NULL"),
    "match_chunks": "SELECT * FROM match_chunks($1, $2, 5, -1)",
    "match_chunks_20": "SELECT * FROM match_chunks($1, $2, 20, -1)",
    "match_chunks_document": DOCUMENT_CHUNKS_SQL.format(5),
    "search_chunks": "SELECT * FROM search_chunks($1) WHERE $2::uuid IS NOT NULL",
    "search_chunks_20": "SELECT * FROM search_chunks($1, NULL, 20) WHERE $2::uuid IS NOT NULL",
    "search_chunks_document": "SELECT c.* FROM chunks AS c JOIN documents AS d ON c.document_id = d.id"
    " WHERE d.user_id = $2 AND d.project_id IS NULL ORDER BY (1 - (c.embedding <=> $1)) DESC LIMIT 10",
    "append": f"SELECT * FROM append_session_message($1, {_SAID})",
    "history": "SELECT * FROM get_session_messages($1)",
    "history_of": "SELECT * FROM session_messages WHERE session_id = $1 ORDER BY sequence_number",
    "latest_messages": "SELECT * FROM session_messages ORDER BY created_at DESC LIMIT 50",
    "latest_messages_of": "SELECT * FROM session_messages WHERE user_id = $1 ORDER BY created_at DESC LIMIT 50",
    "count_messages": "SELECT count(*) FROM session_messages",
    "count_messages_of": "SELECT count(*) FROM session_messages WHERE user_id = $1",
    "insert_message": "INSERT INTO session_messages (session_id, role, content, sequence_number)"
    f" VALUES ($1, {_SAID}, $2)",
    "latest_chunks": f"SELECT {_CHUNK} FROM chunks WHERE document_id = $1 ORDER BY chunk_index DESC LIMIT 50",
    "latest_chunks_of": f"SELECT {_CHUNK} FROM chunks WHERE document_id = $1 AND user_id = $2"
    " ORDER BY chunk_index DESC LIMIT 50",
    "count_chunks": "SELECT count(*) FROM chunks",
    "count_chunks_of": "SELECT count(*) FROM chunks WHERE user_id = $1",
    "insert_chunk": "INSERT INTO chunks (document_id, content, chunk_index) VALUES ($1, 'Waits for its embedding', $2)",
}
OWNERS_STATEMENTS = {
    "bare_insert": "INSERT INTO copy.session_messages (session_id, user_id, role, content, sequence_number)"
    f" VALUES ($1, $2, {_SAID}, $3) RETURNING *",
    "memories_bare": f"SELECT {_MEMORY}, 1 - (embedding <=> $1) FROM memories WHERE is_active AND embedding IS NOT NULL"
    " AND $2::uuid IS NOT NULL ORDER BY embedding <=> $1 LIMIT {limit}",
    "chunks_bare": f"SELECT {_CHUNK}, 1 - (embedding <=> $1) FROM chunks WHERE embedding IS NOT NULL"
    " AND $2::uuid IS NOT NULL ORDER BY embedding <=> $1 LIMIT {limit}",
}
# What sorting all of a user's rows gives: whose they are, and in which order. Not measured.
EXACT_SQL = """
SELECT s.id
FROM (SELECT t.*, 1 - (t.embedding <=> %(query)s::vector) AS similarity FROM {table} AS t WHERE t.{key} = %(of)s) AS s
WHERE s.similarity >= %(threshold)s ORDER BY {order} DESC LIMIT 20
"""
EXACT = {
    "search_memories": ("user_id", "0.7 * s.similarity + 0.3 * s.importance"),
    "match_chunks_20": ("document_id", "s.similarity"),
    "search_chunks_20": ("user_id", "s.similarity"),
}


def measure(place: Place, quick: bool) -> Iterator[Row]:
    """Yield the rows."""
    sizes = QUICK if quick else FULL
    with ExitStack() as stack:
        url = stack.enter_context(place.database("thinking_partner"))
        apply(Target(url, ["thinking_partner"]))
        with psycopg.connect(url, autocommit=True) as conn:
            searches = _load(conn, sizes)
        owner, user = (stack.enter_context(closing(Session(url, "thinking_partner"))) for _ in range(2))
        for session in (owner, user):
            session.conn.execute(f"SET search_path = {PATH}".encode())
        user.act_as(PEOPLE[0])
        for name, statement in STATEMENTS.items():
            user.prepare(name, statement)
            if not name.startswith(("search", "match")):
                owner.prepare(name, statement)
        for name, statement in OWNERS_STATEMENTS.items():
            for limit in (5, 10, 20) if "{limit}" in statement else (0,):
                owner.prepare(f"{name}_{limit}" if limit else name, statement.replace("{limit}", str(limit)))
        documents = dict(owner.conn.execute("SELECT user_id, id FROM documents").fetchall())
        yield from _searches(owner, user, documents, searches, sizes)
        yield from _messages(owner, user, sizes)
        yield from _security(owner, user, documents, sizes)


def _load(conn: psycopg.Connection[Any], sizes: Sizes) -> Searches:
    """Fill the database; return queries of the kind that the rows are of, each with one of no kind."""
    values = {"people": [*PEOPLE], "talkative": sizes.talkative, "long": sizes.long, "long_user": PEOPLE[2]}
    indexes = ("memories_embedding_idx", "chunks_embedding_idx")
    conn.execute(f"SET search_path = {PATH}".encode())
    conn.execute("SET synchronous_commit = off; SET maintenance_work_mem = '1GB'")
    # Shared memory, which several processes would need for it, is scarce in some containers.
    conn.execute("SET max_parallel_maintenance_workers = 0; SELECT setseed(0.5)")
    definitions = [conn.execute("SELECT pg_get_indexdef(%s::regclass)", [index]).fetchone() for index in indexes]
    conn.execute(f"DROP INDEX {', '.join(indexes)}".encode())
    with psycopg.ClientCursor(conn) as cursor:
        cursor.execute(POOL_SQL.encode())
        cursor.execute(PEOPLE_SQL.encode(), values)
        for place, (person, rows) in enumerate(zip(PEOPLE, sizes.memories, strict=True)):
            cursor.execute(MEMORIES_SQL.encode(), {"user": person, "first": sum(sizes.memories[:place]), "rows": rows})
        cursor.execute(CHUNKS_SQL.encode(), {"people": [*PEOPLE], "chunks": [*sizes.chunks]})
        cursor.execute(SESSIONS_SQL.encode(), values)
        searches = cursor.execute(QUERIES_SQL.encode(), {"queries": sizes.queries}).fetchall()
    for definition in definitions:
        assert definition
        conn.execute(definition[0].encode())
    conn.execute(
        b"CREATE SCHEMA copy;"
        b" CREATE TABLE copy.session_messages (LIKE session_messages INCLUDING DEFAULTS INCLUDING INDEXES);"
        b" INSERT INTO copy.session_messages SELECT * FROM session_messages"
    )
    conn.execute("VACUUM (ANALYZE)")
    return [(str(related), str(unrelated)) for related, unrelated in searches]


def _searches(
    owner: Session, user: Session, documents: dict[UUID, UUID], searches: Searches, sizes: Sizes
) -> Iterator[Row]:
    """Yield what searches find, and what they take against the document's queries and the bare index."""
    # The planner believes that a sort of the whole table is cheaper.
    owner.conn.execute("SET enable_seqscan = off; SET enable_sort = off; SET jit = off")
    for function, table, limit in (
        ("search_memories", "memories", 20),
        ("match_chunks", "chunks", 5),
        ("search_chunks", "chunks", 10),
    ):
        indexed(owner.plan(f"{table}_bare_{limit}", searches[0][0], PEOPLE[0]), table)
        for person, rows in zip(PEOPLE, sizes.memories if table == "memories" else sizes.chunks, strict=True):
            user.act_as(person)
            large = person == PEOPLE[2]
            of = documents[person] if function == "match_chunks" else person
            what = f"{function}, {rows:,} {table}"
            wide = function if limit == 20 else f"{function}_20"
            yield _found(f"{what}: rows and recall@20", owner, user, wide, table, searches, of)
            if function == "search_memories":
                text = f"{what}, similarity ≥ 0.5: rows and recall@20"
                yield _found(text, owner, user, "search_memories", table, searches, of, threshold=0.5)
            calls = sizes.slow_calls * (1 if large else 5)
            for kind, label in [(0, ""), (1, ", an unrelated query")][: 1 + large]:
                found = pairs(
                    sizes.rounds,
                    calls,
                    _search(user, function, searches, of, kind),
                    _search(user, f"{function}_document", searches, of, kind),
                    warm_up=min(calls, 10),
                )
                for share, part in ((0.5, "p50"), (0.95, "p95")):
                    yield ratio_row(f"{what}{label}, {part} : the document", at(share, found))
            ours, bare = (_search(user, function, searches, of), _search(owner, f"{table}_bare_{limit}", searches, of))
            found = pairs(sizes.rounds, calls, ours, bare, warm_up=min(calls, 10))
            yield ratio_row(f"{what}, p50 : the bare index", at(0.5, found))


def _search(session: Session, name: str, searches: Searches, of: UUID, kind: int = 0) -> Callable[[int], float]:
    return lambda number: session.time(name, searches[number % len(searches)][kind], of)


def _found(
    what: str,
    owner: Session,
    user: Session,
    function: str,
    table: str,
    searches: Searches,
    of: UUID,
    *,
    threshold: float = -1,
) -> Row:
    """Return the row that says how many rows a search finds, and which share of the right ones."""
    key, order = EXACT[function]
    # `+ 0`: in no index's order, whatever the planner thinks of it.
    exact_sql = EXACT_SQL.format(table=table, key=key, order=f"{order} + 0").encode()
    call = STATEMENTS["search_memories_default" if threshold == 0.5 else function]
    call = call.replace("$1", "%s").replace("$2", "%s")

    def exact(query: str) -> list[Any]:
        return owner.conn.execute(exact_sql, {"query": query, "of": of, "threshold": threshold}).fetchall()

    def search(query: str) -> list[Any]:
        return [row[:1] for row in user.conn.execute(call.encode(), [query, of])]

    return found_row(what, searches, search, exact)


def _messages(owner: Session, user: Session, sizes: Sizes) -> Iterator[Row]:
    """Yield what appending to a session takes."""
    person = PEOPLE[2]
    user.act_as(person)
    sessions = [
        row[0]
        for row in owner.conn.execute("SELECT id FROM chat_sessions WHERE user_id = %s ORDER BY id LIMIT 2", [person])
    ]
    numbers = count(1_000)

    def append(_: int) -> float:
        return user.time("append", sessions[0])

    def bare(_: int) -> float:
        return owner.time("bare_insert", sessions[0], person, next(numbers))

    def by_hand(_: int) -> float:
        return user.time("insert_message", sessions[1], next(numbers))

    for other, label in ((bare, "insert into a bare copy"), (by_hand, "insert with a number of the client's")):
        yield ratio_row(f"append_session_message : {label}", at(0.5, pairs(sizes.rounds, sizes.calls, append, other)))


def _security(owner: Session, user: Session, documents: dict[UUID, UUID], sizes: Sizes) -> Iterator[Row]:
    """Yield what row-level security costs."""
    owner.conn.execute("RESET enable_seqscan; RESET enable_sort; RESET jit")
    sessions: dict[UUID, list[UUID]] = {}
    for person, session in owner.conn.execute("SELECT user_id, id FROM chat_sessions ORDER BY id"):
        sessions.setdefault(person, []).append(session)
    # Beyond those that are there.
    numbers = count(1_000_000)
    short = [person for person in sessions if person not in PEOPLE]

    def call(session: Session, name: str, who: list[UUID]) -> Callable[[int], float]:
        def once(number: int) -> float:
            person = who[number % len(who)]
            values: list[object] = []
            if name in ("insert_message", "history"):
                own = sessions[person]
                values = [own[number // len(who) % len(own)]]
                values += [next(numbers)] if name == "insert_message" else []
            elif name == "insert_chunk":
                values = [documents[person], next(numbers)]
            elif name == "latest_chunks":
                values = [documents[person]]
            if session is user:
                user.act_as(person)
                return user.time(name, *values)
            if "insert" in name:
                return owner.time(name, *values)
            return owner.time(f"{name}_of", *values, *([person] if name != "history" else []))

        return once

    for who, label, things in (
        (short, "10 sessions", ("history", "latest_messages", "count_messages", "insert_message")),
        ([PEOPLE[2]], f"{sizes.long:,} sessions", ("history", "latest_messages", "count_messages", "insert_message")),
        ([PEOPLE[0]], f"{sizes.chunks[0]:,} chunks", ("latest_chunks", "count_chunks", "insert_chunk")),
        ([PEOPLE[2]], f"{sizes.chunks[2]:,} chunks", ("latest_chunks", "count_chunks", "insert_chunk")),
    ):
        for name in things:
            calls = 2 * sizes.slow_calls if "count" in name and who == [PEOPLE[2]] else sizes.calls
            found = pairs(sizes.rounds, calls, call(user, name, who), call(owner, name, who))
            yield ratio_row(f"{WHAT[name]}, {label}, RLS : without", at(0.5, found), at_most=1.2)


WHAT = {
    "history": "messages of a session, in order",
    "latest_messages": "latest 50 messages",
    "count_messages": "count of own messages",
    "insert_message": "insert of a message",
    "latest_chunks": "last 50 chunks of a document",
    "count_chunks": "count of own chunks",
    "insert_chunk": "insert of a chunk that waits for its embedding",
}
