"""The months of messages: every insert finds a partition, months are made beside running work, and nobody reads one."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from threading import Event
from uuid import UUID

import psycopg
import pytest

from tests.chatvrm.world import World, build_world, say, talk
from tests.people import Person, blocked

CREATE = "SELECT create_message_partition(%s)"
CREATE_ALL = "SELECT create_message_partitions()"
# Beyond what there are partitions for.
FAR = "2331-05-01"
FAR_MOMENT = "2331-05-17 12:00:00+00"
WHERE = "SELECT tableoid::regclass::text FROM messages WHERE id = %s"


def partitions(db: Person) -> set[str]:
    rows = db.rows("SELECT relid::regclass::text AS name FROM pg_partition_tree('messages') WHERE isleaf")
    return {row.name for row in rows}


def month(db: Person, ahead: int) -> str:
    """Return the name of the partition of a month from now on."""
    return db.value(
        "SELECT to_char(now() AT TIME ZONE 'UTC' + make_interval(months => %s), '\"messages_\"YYYY_MM')", [ahead]
    )


# Where a message goes


@pytest.mark.rule("VRM-12", "accepts")
@pytest.mark.parametrize("ago", ["14 months", "3 months", "0", "-3 months", "-1 year", "-1000 years"])
def test_a_message_of_any_time_finds_a_place(db: Person, world: World, ago: str) -> None:
    moment = db.value("SELECT now() - %s::interval", [ago])
    with db.as_service():
        message = say(db, talk(db, world.ann.character, world.bob), created_at=moment)
    named = db.value("SELECT to_char(%s AT TIME ZONE 'UTC', '\"messages_\"YYYY_MM')", [moment])
    assert db.value(WHERE, [message]) == (named if named in partitions(db) else "messages_default")
    with db.as_user(world.bob.sub):
        assert db.rows("SELECT id FROM messages") == [(message,)]


@pytest.mark.rule("VRM-12", "accepts")
def test_this_month_and_those_ahead_have_partitions(db: Person) -> None:
    # As of when the database was made, which may have been before midnight, and in another month.
    made = partitions(db)
    assert made >= {"messages_default", *(month(db, ahead) for ahead in range(3))}
    db.run(CREATE_ALL)
    assert partitions(db) >= {month(db, ahead) for ahead in range(4)}
    with db.as_service():
        assert db.value("SELECT create_message_partitions(6)") == 3
        assert (db.value("SELECT create_message_partitions(6)"), db.value(CREATE_ALL)) == (0, 0)
    assert partitions(db) == made | {month(db, ahead) for ahead in range(7)}


@pytest.mark.rule("VRM-12", "accepts")
def test_ahead_means_not_backwards(db: Person) -> None:
    db.run("SELECT create_message_partitions(3)")
    before = partitions(db)
    assert db.value("SELECT create_message_partitions(NULL)") == 0
    for ahead in (-1, -2_147_483_648):
        db.value("SELECT create_message_partitions(%s)", [ahead])
    assert partitions(db) == before


@pytest.mark.rule("VRM-12", "accepts")
@pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati", "Pacific/Niue"])
@pytest.mark.parametrize("style", ["ISO, MDY", "SQL, DMY", "Postgres, DMY", "German, DMY"])
def test_a_month_is_that_of_utc_wherever_the_session_is(db: Person, world: World, zone: str, style: str) -> None:
    db.run("SELECT set_config('TimeZone', %s, TRUE), set_config('DateStyle', %s, TRUE)", [zone, style])
    with db.as_service():
        assert db.value(CREATE, [FAR]) is True
        conversation = talk(db, world.ann.character, world.bob)
        found = [
            db.value(WHERE, [say(db, conversation, created_at=moment)])
            for moment in (
                "2331-04-30 23:59:59.999999+00",
                "2331-05-01 00:00:00+00",
                "2331-05-31 23:59:59.999999+00",
                "2331-06-01 00:00:00+00",
            )
        ]
    assert found == ["messages_default", "messages_2331_05", "messages_2331_05", "messages_default"]


@pytest.mark.rule("VRM-12", "accepts")
@pytest.mark.parametrize(
    ("day", "name"),
    [("0001-01-01", "messages_0001_01"), ("2331-12-31", "messages_2331_12"), ("9999-12-31", "messages_9999_12")],
)
def test_any_day_of_a_month_names_it(db: Person, day: str, name: str) -> None:
    assert db.value(CREATE, [day]) is True
    assert name in partitions(db)
    assert db.value(CREATE, [f"{day[:8]}15"]) is False


@pytest.mark.rule("VRM-12", "refuses")
@pytest.mark.parametrize("day", [None, "infinity", "-infinity", "10000-01-01", "0001-12-31 BC"])
def test_a_month_that_there_is_not_is_refused(db: Person, day: str | None) -> None:
    with db.refused(sqlstate="22023"):
        db.run(CREATE, [day])


@pytest.mark.rule("VRM-12", "refuses")
def test_a_message_has_no_key_without_its_time(db: Person, world: World) -> None:
    conversation = talk(db, world.ann.character, world.bob)
    message = say(db, conversation)
    with db.as_service():
        with db.refused(sqlstate="23505"):
            say(db, conversation, id=message)
        with db.refused(sqlstate="42P10"):
            db.run(
                "INSERT INTO messages (id, conversation_id, role, content) VALUES (%s, %s, 'user', 'Hello')"
                " ON CONFLICT (id) DO NOTHING",
                [message, conversation],
            )
        again = "INSERT INTO messages (id, conversation_id, role, content) VALUES (%s, %s, 'user', 'Hello')"
        assert db.run(f"{again} ON CONFLICT (id, created_at) DO NOTHING", [message, conversation]) == 0


# A month whose messages are there already


@pytest.mark.rule("VRM-12", "accepts")
def test_messages_move_into_the_month_that_is_made_for_them(db: Person, world: World) -> None:
    conversation = talk(db, world.ann.character, world.bob)
    with db.as_service():
        moved = [say(db, conversation, f"{day}", created_at=f"2331-05-{day} 00:00+00") for day in (10, 20)]
        stays = say(db, conversation, created_at="2331-06-01 00:00+00")
    before = db.rows("SELECT * FROM messages ORDER BY id")
    noted = db.value("SELECT sum(messages) FROM message_changes")
    with db.as_service():
        assert db.value(CREATE, [FAR]) is True
    assert [db.value(WHERE, [message]) for message in moved] == ["messages_2331_05"] * 2
    assert db.value(WHERE, [stays]) == "messages_default"
    assert db.rows("SELECT * FROM messages ORDER BY id") == before
    assert db.value("SELECT sum(messages) FROM message_changes") == noted
    # There they are as everywhere: changed, counted and deleted.
    with db.as_service():
        with db.refused("messages_immutable_check", "23514"):
            db.run("UPDATE messages SET created_at = now() WHERE id = %s", [moved[0]])
        with db.refused("messages_content_check", "23514"):
            db.run("UPDATE messages SET content = '' WHERE id = %s", [moved[0]])
        db.run("DELETE FROM conversations")
    assert db.value("SELECT count(*) FROM messages") == 0


@pytest.mark.rule("VRM-12", "accepts")
def test_a_month_that_is_made_has_what_the_others_have(db: Person) -> None:
    db.run(CREATE, [FAR])
    for count in (
        "SELECT count(*) FROM pg_index WHERE indrelid = %s::regclass AND indisvalid",
        "SELECT count(*) FROM pg_trigger WHERE tgrelid = %s::regclass",
        "SELECT count(*) FROM pg_constraint WHERE conrelid = %s::regclass AND convalidated",
        "SELECT count(*) FROM pg_attribute WHERE attrelid = %s::regclass AND attnotnull",
        "SELECT count(*) FROM pg_attrdef WHERE adrelid = %s::regclass",
    ):
        made, others = (db.value(count, [name]) for name in ("messages_2331_05", month(db, 0)))
        assert made == others > 0


@pytest.mark.rule("VRM-12", "accepts")
def test_no_message_is_lost_or_refused_while_its_month_is_made(connect: Callable[[], Person]) -> None:
    owner = connect()
    world = build_world(owner)
    conversations = [talk(owner, world.ann.character, world.bob) for _ in range(6)]
    insert = "INSERT INTO messages (conversation_id, role, content, created_at) VALUES (%s, 'user', 'Hello', %s)"
    begin = "INSERT INTO conversations (character_id, session_id) VALUES (%s, 'visitor') RETURNING id"
    done, warm = Event(), [Event() for _ in conversations]

    def write(conversation: UUID, started: Event) -> int:
        written = 0
        writer = connect()
        writer.run("SET ROLE service_role")
        while not done.is_set():
            writer.run(insert, [conversation, FAR_MOMENT])
            # As an application does: a talk and its first message at once.
            with writer.conn.transaction():
                writer.run(insert, [writer.value(begin, [world.ann.character]), FAR_MOMENT])
            written += 2
            if written >= 20:
                started.set()
        return written

    with ThreadPoolExecutor(len(conversations)) as pool:
        futures = [pool.submit(write, *pair) for pair in zip(conversations, warm, strict=True)]
        try:
            assert all(event.wait(20) for event in warm)
            attempts = 0
            while not made(owner, FAR):
                attempts += 1
                assert attempts < 20
        finally:
            done.set()
        written = sum(future.result(timeout=30) for future in futures)
    assert owner.value("SELECT count(*) FROM messages") == written
    assert owner.value("SELECT count(*) FROM messages_2331_05") == written


def made(db: Person, day: str) -> bool:
    """Make a month, if whoever is in its way lets go within half a second."""
    try:
        return db.value(CREATE, [day])
    except psycopg.errors.LockNotAvailable:
        return False


@pytest.mark.rule("VRM-12", "refuses")
def test_making_a_month_gives_way_to_who_reads_or_writes(connect: Callable[[], Person]) -> None:
    reader, job = connect(), connect()
    world = build_world(reader)
    conversation = talk(reader, world.ann.character, world.bob)
    say(reader, conversation, created_at=FAR_MOMENT)
    for sql in ("SELECT FROM messages", "UPDATE messages SET content = 'Corrected'"):
        reader.run("BEGIN")
        reader.run(sql)
        with job.as_service(), job.refused(sqlstate="55P03"):
            job.run(CREATE, [FAR])
        reader.run("COMMIT")
        assert "messages_2331_05" not in partitions(job)
    assert job.value(CREATE, [FAR]) is True
    assert reader.rows("SELECT tableoid::regclass::text, content FROM messages") == [("messages_2331_05", "Corrected")]


@pytest.mark.rule("VRM-12", "accepts")
@pytest.mark.parametrize("end", ["COMMIT", "ROLLBACK"])
def test_two_who_make_one_month_make_it_once(connect: Callable[[], Person], end: str) -> None:
    one, two = connect(), connect()
    two.run("ALTER FUNCTION create_message_partition(date) SET lock_timeout = '20s'")
    one.run("BEGIN")
    assert one.value(CREATE, [FAR]) is True
    with blocked(two, one, f"CREATE TEMPORARY TABLE made AS {CREATE} AS made", [FAR]) as outcome:
        one.run(end)
    assert outcome.result() == 1
    assert two.value("SELECT made FROM made") is (end == "ROLLBACK")
    assert "messages_2331_05" in partitions(one)


# A month that is taken away


@pytest.mark.rule("VRM-12", "accepts")
def test_a_month_that_is_detached_keeps_its_messages_for_its_owner(db: Person, world: World) -> None:
    db.run(CREATE, [FAR])
    conversation = talk(db, world.ann.character, world.bob)
    detached = say(db, conversation, created_at=FAR_MOMENT)
    db.run("ALTER TABLE messages DETACH PARTITION messages_2331_05")
    assert db.rows("SELECT id FROM messages_2331_05") == [(detached,)]
    assert db.rows("SELECT id FROM messages") == []
    refuses_everybody(db, world, "messages_2331_05")
    with db.as_service():
        message = say(db, conversation, created_at=FAR_MOMENT)
        # Whoever took it away decides when it comes back.
        assert db.value(CREATE, [FAR]) is False
    assert db.value(WHERE, [message]) == "messages_default"
    db.run("DELETE FROM messages")
    db.run(
        "ALTER TABLE messages ATTACH PARTITION messages_2331_05"
        " FOR VALUES FROM ('2331-05-01 00:00+00') TO ('2331-06-01 00:00+00')"
    )
    assert db.rows("SELECT id FROM messages") == [(detached,)]


# Nobody reads a partition


def refuses_everybody(db: Person, world: World, table: str) -> None:
    """Show that no API role does anything with a table."""
    assert db.value("SELECT relrowsecurity FROM pg_class WHERE oid = %s::regclass", [table])
    for person in (db.as_anon(), db.as_user(world.bob.sub), db.as_service()):
        with person:
            for sql in (
                f"SELECT FROM {table}",
                f"UPDATE {table} SET content = 'Mine'",
                f"DELETE FROM {table}",
                f"TRUNCATE {table}",
                f"INSERT INTO {table} (conversation_id, role, content) VALUES (gen_random_uuid(), 'user', 'Hello')",
                f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY",
            ):
                with db.refused(sqlstate="42501"):
                    db.run(sql)


@pytest.mark.rule("VRM-12", "refuses")
def test_nobody_names_a_partition(db: Person, world: World) -> None:
    # As on Supabase, where everything in a new table is granted to everybody.
    db.run(
        f'ALTER DEFAULT PRIVILEGES IN SCHEMA "{db.schema}" GRANT ALL ON TABLES TO PUBLIC, anon, authenticated,'
        " service_role"
    )
    db.run(CREATE, [FAR])
    found = partitions(db)
    assert {"messages_default", "messages_2331_05", month(db, 0)} <= found
    for table in found:
        refuses_everybody(db, world, table)
    # Should somebody be granted it, row-level security still shows nothing.
    say(db, talk(db, world.ann.character, world.bob), created_at=FAR_MOMENT)
    db.run("GRANT SELECT ON messages_2331_05 TO authenticated")
    with db.as_user(world.bob.sub):
        assert db.rows("SELECT id FROM messages_2331_05") == []
        assert len(db.rows("SELECT id FROM messages")) == 1


@pytest.mark.rule("VRM-12", "refuses")
def test_only_services_make_months(db: Person, world: World) -> None:
    before = partitions(db)
    for person in (db.as_anon(), db.as_user(world.bob.sub)):
        with person:
            for sql in (f"SELECT create_message_partition('{FAR}')", CREATE_ALL):
                with db.refused(sqlstate="42501"):
                    db.run(sql)
    assert partitions(db) == before


# What a reader opens


def first_of_month(db: Person) -> datetime:
    """Return when this month (UTC) began."""
    db.run("SET TimeZone = 'UTC'")
    return db.value("SELECT date_trunc('month', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC'")


def scanned(db: Person) -> set[str]:
    """Return the partitions that were read since the last flush of statistics."""
    rows = db.rows(
        "SELECT relid::regclass::text AS name FROM pg_stat_xact_all_tables"
        " WHERE relid IN (SELECT relid FROM pg_partition_tree('messages')) AND seq_scan + coalesce(idx_scan, 0) > 0"
    )
    return {row.name for row in rows}


@pytest.mark.rule("VRM-12", "accepts")
@pytest.mark.parametrize("plan", ["force_custom_plan", "force_generic_plan"])
def test_a_conversation_is_read_from_its_beginning_on(connect: Callable[[], Person], plan: str) -> None:
    db = connect()
    world = build_world(db)
    for ago in range(1, 7):
        db.run("SELECT create_message_partition((now() - make_interval(months => %s))::date)", [ago])
    with db.as_service():
        began = db.value(
            "SELECT (date_trunc('month', now() AT TIME ZONE 'UTC') - interval '1 month') AT TIME ZONE 'UTC'"
        )
        conversation = talk(db, world.ann.character, world.bob, started_at=began)
        messages = [say(db, conversation, created_at=moment) for moment in (began, db.value("SELECT now()"))]
    db.run("ANALYZE messages")
    db.run(f"ALTER FUNCTION get_conversation_messages(uuid, integer, timestamptz) SET plan_cache_mode = {plan}")
    db.run("SELECT pg_stat_force_next_flush()")
    with db.as_user(world.bob.sub), db.conn.transaction():
        found = db.rows("SELECT id FROM get_conversation_messages(%s)", [conversation])
        assert [row.id for row in found] == messages[::-1]
        opened = scanned(db)
    assert opened <= {"messages_default", *(month(db, ahead) for ahead in range(-1, 4))}
    assert {month(db, -1), month(db, 0)} <= opened
    this_month = first_of_month(db)
    db.run("SELECT pg_stat_force_next_flush()")
    with db.as_user(world.bob.sub), db.conn.transaction():
        found = db.rows("SELECT id FROM get_conversation_messages(%s, 50, %s)", [conversation, this_month])
        assert [row.id for row in found] == messages[:1]
        assert scanned(db) <= {"messages_default", month(db, -1)}


@pytest.mark.rule("VRM-12", "accepts")
def test_the_latest_messages_come_first_and_no_more_than_asked_for(db: Person, world: World) -> None:
    conversation, other = (talk(db, world.ann.character, world.bob) for _ in range(2))
    say(db, other)
    with db.as_service():
        for second in range(60):
            say(db, conversation, str(second), created_at=f"2331-05-01 00:00:{second:02d}+00")
    get = "SELECT content FROM get_conversation_messages(%s, %s, %s)"
    with db.as_user(world.bob.sub):
        for limit, before, expected in (
            (3, "infinity", [59, 58, 57]),
            (3, "2331-05-01 00:00:57+00", [56, 55, 54]),
            (2, None, [59, 58]),
            (0, "infinity", [59]),
            (-5, "infinity", [59]),
            (None, "infinity", list(range(59, 9, -1))),
            (2_000, "infinity", list(range(59, -1, -1))),
            (5, "-infinity", []),
        ):
            found = [int(row.content) for row in db.rows(get, [conversation, limit, before])]
            assert found == expected
        assert len(db.rows("SELECT * FROM get_conversation_messages(%s)", [conversation])) == 50


@pytest.mark.rule("VRM-12", "refuses")
def test_no_more_than_a_thousand_messages_come_at_once(db: Person, world: World) -> None:
    conversation = talk(db, world.ann.character, world.bob)
    db.run(
        "INSERT INTO messages (conversation_id, role, content) SELECT %s, 'user', n::text"
        " FROM generate_series(1, 1001) AS n",
        [conversation],
    )
    assert db.value("SELECT count(*) FROM get_conversation_messages(%s, 100000)", [conversation]) == 1_000
