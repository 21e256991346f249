"""Messages: their form, and what they do to their conversation."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.hugo.world import World, begin, build_world, say
from tests.people import Person, blocked, insert


@pytest.fixture
def conversation(db: Person, world: World) -> UUID:
    return begin(db, world.ann, world.app)


def kept(db: Person, conversation: UUID) -> Any:
    """What the conversation says of its messages."""
    return db.row(
        "SELECT message_count, title, last_message_at, activated_at FROM conversations WHERE id = %s", [conversation]
    )


@pytest.mark.rule("HUGO-19", "accepts")
def test_messages_count_and_the_latest_is_known(db: Person, world: World, conversation: UUID) -> None:
    other = begin(db, world.ann, world.app)
    untouched = kept(db, other)
    with db.as_user(world.ann):
        for number in range(1, 4):
            message = say(db, conversation, f"Message {number}")
            latest = db.value("SELECT created_at FROM messages WHERE id = %s", [message])
            now = kept(db, conversation)
            assert (now.message_count, now.last_message_at) == (number, latest)
        first = db.value("SELECT min(created_at) FROM messages")
        assert now.activated_at == first
        assert now.title == "Message 1"
        db.run("DELETE FROM messages WHERE content <> 'Message 1'")
        assert kept(db, conversation) == (1, "Message 1", latest, first)
    assert kept(db, other) == untouched


@pytest.mark.rule("HUGO-19", "accepts")
def test_messages_in_bulk_count_for_each_conversation(db: Person, world: World, conversation: UUID) -> None:
    other = begin(db, world.bob, world.app)
    load = (
        "INSERT INTO messages (conversation_id, role, content) SELECT c.id, 'user', 'Message ' || n"
        " FROM unnest(%s::uuid[]) WITH ORDINALITY AS c (id, part), generate_series(1, 50 * part) AS n ORDER BY n"
    )
    updates = "SELECT pg_stat_get_xact_tuples_updated('conversations'::regclass)"
    before = db.value(updates)
    with db.as_service():
        assert db.run(load, [[conversation, other]]) == 150
        assert db.value(updates) - before == 2
        assert [kept(db, row)[:2] for row in (conversation, other)] == [(50, "Message 1"), (100, "Message 1")]
        assert db.run("DELETE FROM messages WHERE content LIKE '%%1'") == 15
        assert db.value(updates) - before == 4
    assert [kept(db, row).message_count for row in (conversation, other)] == [45, 90]
    assert db.value("SELECT sum(message_count) FROM conversations") == db.value("SELECT count(*) FROM messages")


@pytest.mark.rule("HUGO-19", "accepts")
def test_messages_in_one_transaction_have_an_order(db: Person, world: World, conversation: UUID) -> None:
    with db.as_user(world.ann):
        said = [say(db, conversation, str(number), created_at="2020-01-01") for number in range(20)]
        in_order = db.rows("SELECT id, created_at FROM messages ORDER BY created_at")
        assert [row.id for row in in_order] == said
        assert len({row.created_at for row in in_order}) == 20
        assert db.value("SELECT min(created_at) >= now() AND max(created_at) <= clock_timestamp() FROM messages")
        assert db.run("UPDATE messages SET created_at = '2020-01-01', content = 'New'") == 20
        assert db.rows("SELECT id, created_at FROM messages ORDER BY created_at") == in_order


@pytest.mark.rule("HUGO-19", "accepts")
def test_the_service_imports_times(db: Person, conversation: UUID) -> None:
    with db.as_service():
        for time in ("2020-01-02Z", "2020-01-01Z"):
            say(db, conversation, time, created_at=time)
    times = "activated_at = '2020-01-02Z' AND last_message_at = '2020-01-02Z'"
    assert db.value(f"SELECT message_count FROM conversations WHERE {times}") == 2


@pytest.mark.rule("HUGO-19", "accepts")
def test_the_earliest_of_several_gives_the_title(db: Person, conversation: UUID) -> None:
    with db.as_service():
        db.run(
            "INSERT INTO messages (conversation_id, role, content, tokens_used, created_at) VALUES"
            " (%(c)s, 'user', 'third', NULL, '2020-01-03'), (%(c)s, 'assistant', 'first', 5, '2020-01-01'),"
            " (%(c)s, 'user', 'second', NULL, '2020-01-02')",
            {"c": conversation},
        )
    assert kept(db, conversation)[:2] == (3, "second")


WORD = "word " * 16


@pytest.mark.rule("HUGO-19", "accepts")
@pytest.mark.parametrize(
    ("content", "title"),
    [
        ("Hello", "Hello"),
        ("  Hello  there \t", "Hello  there"),
        ("\r\n\n Hello\r\nthere", "Hello"),
        ("Hello\nthere", "Hello"),
        ("x" * 80, "x" * 80),
        ("x" * 81, "x" * 80),
        (WORD[:79], WORD[:79]),
        (WORD[:79] + "s", WORD[:79] + "s"),
        (WORD[:79] + "s x", WORD[:79] + "s"),
        (WORD[:79] + "sx", WORD[:74]),
        (WORD[:79] + "  x", WORD[:79]),
        ("a " + "x" * 100, "a"),
        ("é" * 81, "é" * 80),
        ("👍" * 79 + " 👍", "👍" * 79),
        ("👍" * 79 + " ", "👍" * 79),
        ("line " * 3 + "\n" + "x" * 100_000, "line line line"),
    ],
)
def test_the_title_is_the_first_line_cut_at_a_word(
    db: Person, world: World, conversation: UUID, content: str, title: str
) -> None:
    assert len(title) <= 80
    with db.as_user(world.ann):
        say(db, conversation, content)
        assert kept(db, conversation).title == title


@pytest.mark.rule("HUGO-19", "accepts")
@pytest.mark.parametrize(("given", "title"), [(None, "Question"), ("Mine", "Mine"), ("", "")])
def test_the_first_user_message_gives_the_title_where_there_is_none(
    db: Person, world: World, given: str | None, title: str
) -> None:
    with db.as_user(world.ann):
        conversation = begin(db, world.ann, world.app, title=given)
        say(db, conversation, "Welcome", "assistant")
        assert kept(db, conversation).title == given
        # White space beyond what a title is looked for in gives none, and does not keep the next from giving one.
        say(db, conversation, " " * 10_001 + "far away")
        assert kept(db, conversation).title == given
        for content in ("Question", "More"):
            say(db, conversation, content)
            assert kept(db, conversation).title == title
        db.run("UPDATE conversations SET title = 'Renamed'")
        say(db, conversation, "Even more")
        assert kept(db, conversation).title == "Renamed"


@pytest.mark.rule("HUGO-19", "accepts")
def test_an_upsert_counts_what_is_new(db: Person, world: World, conversation: UUID) -> None:
    with db.as_user(world.ann):
        message = say(db, conversation)
        upsert = (
            "INSERT INTO messages (id, conversation_id, role, content) VALUES (%s, %s, 'user', 'Again'),"
            " (%s, %s, 'user', 'New') ON CONFLICT (id) DO UPDATE SET content = excluded.content,"
            " conversation_id = excluded.conversation_id, user_id = excluded.user_id, app_id = excluded.app_id,"
            " created_at = excluded.created_at"
        )
        assert db.run(upsert, [message, conversation, uuid4(), conversation]) == 2
        assert kept(db, conversation).message_count == 2
        ignore = "INSERT INTO messages (id, conversation_id, role, content) VALUES (%s, %s, 'user', 'X')"
        assert db.run(ignore + " ON CONFLICT DO NOTHING", [message, conversation]) == 0
        assert kept(db, conversation).message_count == 2
    assert db.rows("SELECT content FROM messages ORDER BY content") == [("Again",), ("New",)]


@pytest.mark.rule("HUGO-19", "refuses")
@pytest.mark.parametrize("column", ["id", "conversation_id", "user_id", "app_id"])
@pytest.mark.parametrize("as_service", [False, True])
def test_a_message_stays_where_it_is(
    db: Person, world: World, conversation: UUID, column: str, as_service: bool
) -> None:
    values = {
        "id": uuid4(),
        "conversation_id": begin(db, world.ann, world.app),
        "user_id": world.bob,
        "app_id": uuid4(),
    }
    with db.as_service() if as_service else db.as_user(world.ann):
        message = say(db, conversation)
        with db.refused("messages_immutable_check", "23514"):
            db.run(f"UPDATE messages SET {column} = %s WHERE id = %s", [values[column], message])
        whole = "UPDATE messages SET id = id, conversation_id = conversation_id, user_id = user_id, content = 'New'"
        assert db.run(whole) == 1


@pytest.mark.rule("HUGO-19", "accepts")
@pytest.mark.parametrize("naming", [(), ("user_id",), ("app_id",), ("user_id", "app_id")])
def test_a_message_takes_owner_and_app_from_its_conversation(
    db: Person, world: World, conversation: UUID, naming: tuple[str, ...]
) -> None:
    columns = {"user_id": world.ann, "app_id": world.app}
    named = {name: columns[name] for name in naming}
    with db.as_user(world.ann):
        say(db, conversation, **named)
    with db.as_service():
        say(db, conversation, **named)
    assert db.rows("SELECT user_id, app_id FROM messages") == [(world.ann, world.app)] * 2


@pytest.mark.rule("HUGO-19", "refuses")
def test_a_message_belongs_to_nobody_else(db: Person, world: World, conversation: UUID) -> None:
    db.run("UPDATE knowledge_bases SET app_ids = '{coach,other}'")
    other = insert(db, "apps", app_id="other", display_name="Other", domain="health", knowledge_base_ids=["coach_kb"])
    for wrong in ({"user_id": world.bob, "app_id": world.app}, {"user_id": world.ann, "app_id": other}):
        with db.as_service(), db.refused("messages_conversation_id_fkey", "23503"):
            say(db, conversation, **wrong)
    with db.as_user(world.ann), db.refused("messages_conversation_id_fkey", "23503"):
        say(db, conversation, user_id=world.ann, app_id=other)
    for missing in ({}, {"user_id": world.ann, "app_id": world.app}):
        with db.as_user(world.ann), db.refused("messages_conversation_id_fkey", "23503"):
            say(db, uuid4(), **missing)
    assert kept(db, conversation).message_count == 0


@pytest.mark.rule("HUGO-19", "accepts")
def test_concurrent_messages_lose_no_count(connect: Callable[[], Person]) -> None:
    sessions = [connect() for _ in range(8)]
    world = build_world(sessions[0])
    conversations = [begin(sessions[0], world.ann, world.app) for _ in range(3)]
    load = (
        "INSERT INTO messages (conversation_id, role, content) SELECT c.id, 'user', 'Hello'"
        " FROM unnest(%s::uuid[]) AS c (id)"
    )

    def talk(number: int) -> None:
        for turn in range(5):
            sessions[number].run(load, [conversations[:: 1 if (number + turn) % 2 else -1]])

    with ThreadPoolExecutor(len(sessions)) as pool:
        for future in [pool.submit(talk, number) for number in range(len(sessions))]:
            future.result(timeout=30)
    assert sessions[0].rows("SELECT message_count FROM conversations") == [(40,)] * 3


@pytest.mark.rule("HUGO-19", "accepts")
@pytest.mark.parametrize("change", ["insert", "delete"])
def test_bulk_statements_lock_conversations_in_one_order(connect: Callable[[], Person], change: str) -> None:
    holder, worker = connect(), connect()
    world = build_world(holder)
    low, high = sorted(uuid4() for _ in range(2))
    for conversation in (high, low):
        say(holder, begin(holder, world.ann, world.app, id=conversation))
    statements = {
        "insert": f"INSERT INTO messages (conversation_id, role, content)"
        f" VALUES ('{high}', 'user', 'Hello'), ('{low}', 'user', 'Hello')",
        "delete": "DELETE FROM messages",
    }
    holder.run("BEGIN")
    holder.run("SELECT 1 FROM conversations WHERE id = %s FOR NO KEY UPDATE", [low])
    with blocked(worker, holder, statements[change]) as working:
        # While it waits for the first it holds no other: whoever has that may ask for the rest.
        holder.run("SELECT 1 FROM conversations WHERE id = %s FOR NO KEY UPDATE NOWAIT", [high])
        holder.run("COMMIT")
    assert working.result() == 2
    expected = {"insert": 2, "delete": 0}[change]
    assert holder.rows("SELECT message_count FROM conversations") == [(expected,)] * 2


@pytest.mark.rule("HUGO-21", "accepts")
@pytest.mark.parametrize(
    "columns",
    [
        {"role": "user"},
        {"role": "user", "tokens_used": 0, "generation_time_ms": 0},
        {"role": "user", "tokens_used": 1},
        {"role": "assistant", "tokens_used": 1},
        {"role": "assistant", "tokens_used": 2147483647, "generation_time_ms": 2147483647},
        {"confidence_score": None},
        {"confidence_score": "0.00"},
        {"confidence_score": "1.00"},
        {"confidence_score": "1.004"},
        {"content": "."},
        {"content": " é "},
        {"content": "👍"},
        {"content": "\u200b字"},
        {"content": "x" * 1_000_000},
    ],
    ids=lambda columns: str(columns)[:50],
)
def test_a_message_of_valid_form_is_accepted(
    db: Person, world: World, conversation: UUID, columns: dict[str, Any]
) -> None:
    with db.as_user(world.ann):
        message = say(db, conversation, **columns)
        row = db.row("SELECT * FROM messages WHERE id = %s", [message])._asdict()
    for name, value in columns.items():
        assert row[name] == (round(float(value), 2) if name == "confidence_score" and value else value)


BAD_MESSAGES = [
    *(("messages_role_check", {"role": role}) for role in ("", "User", "system", "user ", "tool")),
    *(
        ("messages_content_check", {"content": content})
        for content in ("", " ", "\n\t\r", "\v\f", "\u00a0\u2003", "\u200b", "\u3000\ufeff", " " * 100_000)
    ),
    *(
        ("messages_confidence_check", {"confidence_score": score})
        for score in ("-0.01", "1.01", "1.005", "NaN", "9.99")
    ),
    *(("messages_tokens_used_check", {"role": "assistant", "tokens_used": tokens}) for tokens in (None, 0, -1)),
    ("messages_tokens_used_check", {"role": "user", "tokens_used": -1}),
    ("messages_generation_time_check", {"generation_time_ms": -1}),
]


@pytest.mark.rule("HUGO-21", "refuses")
@pytest.mark.parametrize(("constraint", "columns"), BAD_MESSAGES, ids=lambda part: str(part)[:50])
def test_a_message_of_another_form_is_refused(
    db: Person, world: World, conversation: UUID, constraint: str, columns: dict[str, Any]
) -> None:
    settings = ", ".join(f"{name} = %({name})s" for name in columns)
    with db.as_user(world.ann):
        with db.refused(constraint, "23514"):
            say(db, conversation, **columns)
        message = say(db, conversation)
        with db.refused(constraint, "23514"):
            db.run(f"UPDATE messages SET {settings} WHERE id = %(message)s", {**columns, "message": message})


@pytest.mark.rule("HUGO-21", "refuses")
@pytest.mark.parametrize("column", ["conversation_id", "role", "content", "created_at", "user_id", "app_id"])
def test_what_every_message_has_cannot_be_null(db: Person, conversation: UUID, column: str) -> None:
    say(db, conversation)
    # A trigger refuses what it would be missing in; without it the column does so itself.
    db.run("ALTER TABLE messages DISABLE TRIGGER USER")
    with db.refused(sqlstate="23502") as caught:
        db.run(f"UPDATE messages SET {column} = NULL")
    assert caught.value.diag.column_name == column


@pytest.mark.rule("HUGO-21", "refuses")
def test_a_message_becomes_the_assistants_only_with_its_tokens(db: Person, world: World, conversation: UUID) -> None:
    with db.as_user(world.ann):
        say(db, conversation)
        with db.refused("messages_tokens_used_check"):
            db.run("UPDATE messages SET role = 'assistant'")
        assert db.run("UPDATE messages SET role = 'assistant', tokens_used = 1") == 1
