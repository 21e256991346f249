"""PgBouncer 1.18 in front of the server: what works through each of its modes, and what does not."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import psycopg
import pytest
from pytest_postgresql.executors import NoopExecutor

from runner.catalog.describe import describe
from runner.errors import UsageError
from runner.history.instances import Target
from runner.jobs.schedule import list_jobs
from runner.migrate.apply import apply
from runner.migrate.rollback import rollback
from runner.postgres import pooler
from tests.aurum import world as aurum
from tests.chatvrm import world as chatvrm
from tests.databases import cloned
from tests.hugo import world as hugo
from tests.othello import world as othello
from tests.people import Person, insert
from tests.runner.command import run
from tests.runner.poolers import COMMANDS, GOOD
from tests.thinking_partner import world as thinking_partner
from tests.vectors import vector

Start = Callable[..., str]

CLIENTS = 16
SYSTEMS = ("hugo", "othello", "thinking_partner", "chatvrm", "aurum")
QUERY = f"'{vector(1)}'::extensions.vector"

# Through PgBouncer before 1.21 psycopg must not prepare statements.
connect = partial(psycopg.connect, prepare_threshold=None)


@dataclass(frozen=True)
class Question:
    """What a user asks a system; the answer is rows of one column, of which theirs hold their name."""

    name: str
    sub: str
    sql: str


def questions(conn: psycopg.Connection[Any], system: str) -> list[Question]:
    """Sign up the clients in a system, each with a row of their own in it that says their name."""
    db = Person(conn, system)
    names = [f"client{number}" for number in range(CLIENTS)]
    asked = []
    if system == "hugo":
        app = hugo.build_world(db).app
        for name in names:
            ann = insert(db, "users", oriva_user_id=db.value("SELECT gen_random_uuid()"), email=f"{name}@example.org")
            hugo.say(db, hugo.begin(db, ann, app), name)
            context = f"{system}.get_chat_context('coach', {system}.current_user_id())"
            sql = f"SELECT jsonb_path_query(recent_messages, '$[*].content') #>> '{{}}' FROM {context}"
            asked.append(Question(name, str(ann), sql))
    elif system == "othello":
        for name in names:
            user = othello.sign_up(db, name)
            othello.propose(db, user, title=name)
            asked.append(Question(name, str(user.external_id), f"SELECT title FROM {system}.pending_suggestions()"))
    elif system == "thinking_partner":
        for name in names:
            partner = thinking_partner.sign_up(db, name)
            thinking_partner.remember(db, partner, name, embedding=vector(1))
            sql = f"SELECT content FROM {system}.search_memories({QUERY}, {system}.current_user_id())"
            asked.append(Question(name, str(partner.id), sql))
    elif system == "chatvrm":
        for name in names:
            maker = chatvrm.sign_up(db, name)
            base = chatvrm.collect(db, maker, character_id=maker.character)
            with db.as_service():
                document = chatvrm.upload(db, base, status="completed")
            chatvrm.cut(db, document, content=name, embedding=vector(1))
            sql = f"SELECT content FROM {system}.search_character_knowledge('{maker.character}', {QUERY})"
            asked.append(Question(name, maker.sub, sql))
    else:
        for name in names:
            person = aurum.sign_up(db, name)
            aurum.write(db, person, name, content_embedding=vector(1))
            asked.append(Question(name, str(person.id), f"SELECT content FROM {system}.rag_search({QUERY})"))
    return asked


@dataclass(frozen=True)
class Stage:
    """A database with all systems, and what each client asks of each of them."""

    url: str
    asked: list[Question]


@pytest.fixture(scope="module")
def stage(bare: NoopExecutor) -> Iterator[Stage]:
    with cloned(bare, "pooled") as url:
        apply(Target(url))
        with psycopg.connect(url, autocommit=True) as conn:
            asked = [question for system in SYSTEMS for question in questions(conn, system)]
        yield Stage(url, asked)


def act(conn: psycopg.Connection[Any], sub: str | None) -> None:
    """Act as a user, or as one without claims, until the transaction ends."""
    conn.execute("SET LOCAL ROLE authenticated")
    if sub is not None:
        conn.execute("SELECT set_config('request.jwt.claims', %s, TRUE)", [json.dumps({"sub": sub})])


def ask(conn: psycopg.Connection[Any], question: Question) -> list[Any]:
    """Return what the user of the question is told, in a transaction of its own."""
    with conn.transaction():
        act(conn, question.sub)
        return [value for (value,) in conn.execute(question.sql.encode())]


EVERYTHING = " + ".join(
    f"(SELECT count(*) FROM {table})"
    for table in (
        "hugo.messages", "othello.agent_activities", "thinking_partner.memories", "chatvrm.document_chunks",
        "aurum.journal_entries",
    )
)  # fmt: skip
LEFT_BEHIND = """
SELECT
    current_user::text, current_setting('role'), current_setting('search_path'),
    coalesce(current_setting('request.jwt.claims', TRUE), ''),
    coalesce(current_setting('hnsw.ef_search', TRUE), '40'),
    coalesce(current_setting('hnsw.iterative_scan', TRUE), 'off')
"""


def test_many_users_share_few_sessions_and_each_sees_their_own(stage: Stage, pgbouncer: Start) -> None:
    address = pgbouncer(stage.url, "transaction", 3)
    with psycopg.connect(stage.url) as direct:
        fresh = direct.execute(LEFT_BEHIND).fetchone()
        assert direct.execute(f"SELECT {EVERYTHING}").fetchone() >= (5 * CLIENTS,)
    barrier = threading.Barrier(CLIENTS)

    def work(number: int) -> set[int]:
        own = stage.asked[number::CLIENTS]
        assert {question.name for question in own} == {f"client{number}"}
        pids = set()
        with connect(address) as conn:
            barrier.wait(timeout=30)
            for turn in range(4):
                for question in own:
                    assert ask(conn, question) == [question.name]
                    # Half of the transactions fail after their claims are set.
                    if turn % 2:
                        with pytest.raises(psycopg.errors.DivisionByZero), conn.transaction():
                            act(conn, question.sub)
                            conn.execute("SELECT 1/0")
                    with conn.transaction():
                        assert conn.execute(LEFT_BEHIND).fetchone() == fresh
                        pids.update(*conn.execute("SELECT pg_backend_pid()"))
                    with conn.transaction():
                        act(conn, None)
                        assert conn.execute(f"SELECT {EVERYTHING}").fetchone() == (0,)
        return pids

    with ThreadPoolExecutor(CLIENTS) as pool:
        served = list(pool.map(work, range(CLIENTS)))
    assert len(set.union(*served)) == 3
    # They were not served one after the other, each by one session.
    assert any(len(pids) > 1 for pids in served)


def test_what_psycopg_prepares_by_itself_is_in_the_way_of_others(stage: Stage, pgbouncer: Start) -> None:
    """Hence prepare_threshold=None."""
    address = pgbouncer(stage.url, "transaction", 1)
    first, *_, second = stage.asked
    with psycopg.connect(address, prepare_threshold=0) as one, psycopg.connect(address, prepare_threshold=0) as two:
        assert ask(one, first) == [first.name]
        with pytest.raises(psycopg.errors.DuplicatePreparedStatement):
            ask(two, second)
    with connect(address) as one, connect(address) as two:
        for _ in range(7):
            assert ask(one, first) == [first.name]
            assert ask(two, second) == [second.name]


def test_what_is_prepared_in_one_session_is_not_there_in_the_next(stage: Stage, pgbouncer: Start) -> None:
    """Hence the functions themselves, and `prepare_statements()` only where a client keeps its session."""
    question = stage.asked[0]
    execute = "EXECUTE get_chat_context('coach', hugo.current_user_id())"
    address = pgbouncer(stage.url, "transaction", 2)
    with connect(address) as one, connect(address) as two:
        one.execute("SELECT hugo.prepare_statements()")
        one.commit()
        # The session that is free again goes to whoever asks first.
        two.execute("SELECT 1")
        with pytest.raises(psycopg.errors.InvalidSqlStatementName), one.transaction():
            act(one, question.sub)
            one.execute(execute)
        assert ask(one, question) == [question.name]
    with connect(pgbouncer(stage.url, "session", 2)) as one, connect(stage.url):
        one.execute("SELECT hugo.prepare_statements()")
        one.commit()
        with one.transaction():
            act(one, question.sub)
            assert one.execute(execute).rowcount == 1


# The runner


def contents(url: str) -> tuple[Any, ...]:
    """Return what is in the database, apart from schema auth, which stays, and which advisory locks are held there."""
    with psycopg.connect(url, autocommit=True) as conn:
        schemas = conn.execute(
            "SELECT nspname FROM pg_namespace WHERE nspname !~ '^(pg_t|auth$)' ORDER BY 1"
        ).fetchall()
        locks = conn.execute(
            "SELECT pid FROM pg_locks WHERE locktype = 'advisory'"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        ).fetchall()
        return schemas, describe(conn, "demo"), locks


def settings(address: str) -> list[Any]:
    """Return the process of the session that is lent, and what is set in it, save what PgBouncer sets for a client."""
    sql = "SELECT name, setting FROM pg_settings WHERE source = 'session' AND name <> 'application_name' ORDER BY 1"
    with connect(address) as conn:
        return [*conn.execute("SELECT pg_backend_pid()"), *conn.execute(sql)]


@pytest.mark.parametrize("mode", ["transaction", "statement"])
@pytest.mark.parametrize("size", [1, 3])
@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_the_runner_does_nothing_where_sessions_are_handed_on(
    empty_database: str, pgbouncer: Start, command: Callable[[str], Any], mode: str, size: int
) -> None:
    apply(Target(empty_database, ["demo"]), sql_root=GOOD, to="0001_a")
    before = contents(empty_database)
    address = pgbouncer(empty_database, mode, size)
    with pytest.raises(UsageError, match="hands server sessions on") as caught:
        command(address)
    assert caught.value.hint == "give the address of the server itself, or of a pooler in session mode"
    assert contents(empty_database) == before


def test_status_goes_through_and_leaves_no_setting_behind(empty_database: str, pgbouncer: Start) -> None:
    apply(Target(empty_database), sql_root=GOOD)
    address = pgbouncer(empty_database, "transaction", 1)
    before = settings(address)
    code, out, err = run("status", "--json", "--database", address)
    assert (code, err) == (0, "")
    assert [one["pending"] for one in json.loads(out)["systems"]] == [[]]
    # What is applied already is asked for in the same way.
    assert run("apply", "--database", address)[::2] == (0, "")
    # What it may do only in a session of its own fails before it does anything there.
    assert run("rollback", "demo", "--database", address)[0] == 2
    with connect(address) as conn:
        assert conn.execute("SHOW default_transaction_read_only").fetchone() == ("off",)
        assert conn.execute("SHOW statement_timeout").fetchone() == ("0",)
        conn.rollback()
    assert settings(address) == before


def test_through_session_mode_the_runner_does_its_work(empty_database: str, pgbouncer: Start) -> None:
    before = contents(empty_database)
    address = pgbouncer(empty_database, "session", 3)
    done = apply(Target(address, ["hugo"]))
    assert len(done) > 50
    assert apply(Target(address, ["hugo"])) == []
    assert {job.job.job for job in list_jobs(Target(address))} != set()
    assert len(rollback(Target(address), everything=True)) == len(done)
    assert contents(empty_database) == before


def test_the_last_session_of_a_pool_is_enough(
    empty_database: str, pgbouncer: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pooler, "PATIENCE", 0.3)
    address = pgbouncer(empty_database, "session", 1)
    assert len(apply(Target(address), sql_root=GOOD)) == 2
    assert len(rollback(Target(address, ["demo"]), everything=True)) == 2
