"""The archive of conversations that nobody has touched for a year, and the jobs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.cron import with_pg_cron
from tests.othello.world import User, World, begin, build_world, propose, say, validate
from tests.people import Person, blocked

ARCHIVE = "SELECT archive_inactive_conversations()"
TABLES = ["conversations", "messages", "ethical_validations"]
YEAR = "12 months"


def old_conversation(db: Person, user: User, age: str = "13 months", messages: int = 2, **columns: Any) -> int:
    """Create a conversation of this age with messages of the same age, as the service imports them."""
    past = db.value("SELECT now() - %s::interval", [age])
    times = {"created_at": past, "updated_at": past}
    conversation = begin(db, user, **{**times, **columns})
    for number in range(messages):
        say(db, conversation, f"Message {number}", **times)
    return conversation


def newest(db: Person, conversation: int) -> int:
    return db.value("SELECT max(id) FROM messages WHERE conversation_id = %s", [conversation])


def content(db: Person, prefix: str = "") -> list[list[Any]]:
    """All rows of the live tables or, with a prefix, of the archive, as JSON without the mark of the archive."""
    return [
        [
            row.json
            for row in db.rows(f"SELECT to_jsonb(t) - 'archived_at' AS json FROM {prefix}{table} AS t ORDER BY id")
        ]
        for table in TABLES
    ]


def whereabouts(db: Person, conversation: int) -> str:
    """Whether a conversation is live, archived or gone; its messages must be where it is."""
    live, archived = (
        db.row(
            f"SELECT (SELECT count(*) FROM {prefix}conversations WHERE id = %(id)s) AS conversations,"
            f" (SELECT count(*) FROM {prefix}messages WHERE conversation_id = %(id)s) AS messages",
            {"id": conversation},
        )
        for prefix in ("", "archived_")
    )
    assert not (live.messages and not live.conversations) and not (archived.messages and not archived.conversations)
    return {(1, 0): "live", (0, 1): "archived", (0, 0): "gone"}[live.conversations, archived.conversations]


@pytest.mark.rule("OTH-23", "accepts")
@pytest.mark.rule("OTH-23", "refuses")
@pytest.mark.parametrize(
    ("age", "call", "outcome"),
    [
        (YEAR, ARCHIVE, "live"),
        (f"{YEAR} 1 microsecond", ARCHIVE, "archived"),
        ("11 months", ARCHIVE, "live"),
        ("5 years", ARCHIVE, "archived"),
        ("2 days", "SELECT archive_inactive_conversations('2 days')", "live"),
        ("2 days 1 microsecond", "SELECT archive_inactive_conversations(p_older_than => '2 days')", "archived"),
    ],
)
@pytest.mark.parametrize("messages", [0, 2])
def test_a_conversation_is_archived_just_after_a_year(
    db: Person, world: World, age: str, call: str, outcome: str, messages: int
) -> None:
    conversation = old_conversation(db, world.ann, age, messages)
    with db.as_service():
        assert db.value(call) == (outcome == "archived")
        assert db.value(call) == 0
    assert whereabouts(db, conversation) == outcome


@pytest.mark.rule("OTH-23", "refuses")
@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("conversations", "created_at"),
        ("conversations", "updated_at"),
        ("messages", "created_at"),
        ("messages", "updated_at"),
    ],
)
@pytest.mark.parametrize(("age", "outcome"), [(YEAR, "live"), (f"{YEAR} 1 microsecond", "archived")])
def test_any_activity_within_the_year_keeps_it(
    db: Person, world: World, table: str, column: str, age: str, outcome: str
) -> None:
    conversation = old_conversation(db, world.ann)
    other = old_conversation(db, world.ann, "14 months")
    row = {"conversations": conversation, "messages": newest(db, conversation)}[table]
    db.run(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    db.run(f"UPDATE {table} SET {column} = now() - %s::interval WHERE id = %s", [age, row])
    db.run(f"ALTER TABLE {table} ENABLE TRIGGER USER")
    db.run(ARCHIVE)
    assert (whereabouts(db, conversation), whereabouts(db, other)) == (outcome, "archived")


@pytest.mark.rule("OTH-23", "refuses")
def test_what_a_user_touches_stays(db: Person, world: World) -> None:
    said, changed, renamed, left = (old_conversation(db, world.ann) for _ in range(4))
    with world.ann.acting(db):
        say(db, said)
        db.run("UPDATE messages SET content = 'Corrected' WHERE id = %s", [newest(db, changed)])
        db.run("UPDATE conversations SET title = 'Walks' WHERE id = %s", [renamed])
    assert db.value(ARCHIVE) == 1
    assert [whereabouts(db, each) for each in (said, changed, renamed, left)] == ["live", "live", "live", "archived"]


@pytest.mark.rule("OTH-23", "accepts")
def test_the_archive_keeps_every_row_and_every_column(db: Person, world: World) -> None:
    walks = {"title": "Walks", "is_archived": True, "metadata": '{"a": 1}'}
    conversation = old_conversation(db, world.ann, messages=1, updated_at="2024-01-01Z", **walks)
    message = say(
        db,
        conversation,
        role="assistant",
        agent_name="FELLO",
        reasoning_trace='{"b": 2}',
        ethical_validation='{"c": 3}',
        token_count=4,
        created_at="2020-01-01Z",
        updated_at="2020-01-02Z",
    )
    validate(
        db,
        world.ann,
        "flagged",
        message_id=message,
        agent_activity_id=propose(db, world.ann),
        validator="Tester",
        rules_applied=["harm"],
        concerns=["tone"],
        reasoning="Because",
        override_allowed=True,
        overridden_by_user=True,
        metadata='{"d": 5}',
        created_at="2020-01-03Z",
    )
    validate(db, world.ann, "passed", message_id=message)
    before = content(db)
    full = [before[0][0], before[1][1], before[2][0]]
    assert [[key for key, value in row.items() if value is None] for row in full] == [
        ["deleted_at"],
        ["deleted_at"],
        [],
    ]
    with db.as_service():
        assert db.value(ARCHIVE) == 1
    assert content(db) == [[], [], []]
    assert content(db, "archived_") == before
    assert db.value("SELECT archived_at = now() FROM archived_conversations")


@pytest.mark.rule("OTH-23", "accepts")
def test_only_what_belongs_to_an_archived_conversation_is_moved(db: Person, world: World) -> None:
    old, young = old_conversation(db, world.ann), old_conversation(db, world.ann, "1 month")
    for conversation in (old, young):
        validate(db, world.ann, "passed", message_id=newest(db, conversation))
    validate(db, world.ann, "passed", agent_activity_id=propose(db, world.ann))
    old_conversation(db, world.bob, "1 month")
    before = content(db)
    db.run(ARCHIVE)
    live, archived = content(db), content(db, "archived_")
    assert [len(rows) for rows in archived] == [1, 2, 1]
    for rows, kept, moved in zip(before, live, archived, strict=True):
        assert sorted(kept + moved, key=lambda row: row["id"]) == rows


@pytest.mark.rule("OTH-23", "accepts")
def test_a_deleted_conversation_is_archived_and_stays_hidden(db: Person, world: World) -> None:
    hidden, shown = old_conversation(db, world.ann), old_conversation(db, world.ann)
    with world.ann.acting(db):
        db.run("SELECT soft_delete_conversation(%s)", [hidden])
    for table in ("conversations", "messages"):
        db.run(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        db.run(f"UPDATE {table} SET updated_at = created_at, deleted_at = created_at WHERE deleted_at IS NOT NULL")
        db.run(f"ALTER TABLE {table} ENABLE TRIGGER USER")
    before = content(db)
    assert db.value(ARCHIVE) == 2
    assert content(db, "archived_") == before
    for person in (world.ann.acting(db), db.as_service()):
        with person:
            assert db.rows("SELECT id FROM archived_conversations") == [(shown,)]
            assert db.rows("SELECT DISTINCT conversation_id FROM archived_messages") == [(shown,)]
    assert [whereabouts(db, each) for each in (hidden, shown)] == ["archived"] * 2


@pytest.mark.rule("OTH-23", "refuses")
@pytest.mark.parametrize(("result", "stands"), [("blocked", True), ("escalated", True), ("passed", False)])
def test_an_archived_validation_still_stands_in_the_way(db: Person, world: World, result: str, stands: bool) -> None:
    conversation = old_conversation(db, world.ann)
    activity = propose(db, world.ann, status="approved")
    validate(db, world.ann, result, message_id=newest(db, conversation), agent_activity_id=activity)
    db.run(ARCHIVE)
    assert whereabouts(db, conversation) == "archived"
    execute = "UPDATE agent_activities SET status = 'executed' WHERE id = %s"
    with db.as_service():
        if stands:
            with db.refused("agent_activities_ethics_check", "23514"):
                db.run(execute, [activity])
        else:
            assert db.run(execute, [activity]) == 1


@pytest.mark.rule("OTH-23", "accepts")
def test_what_was_restored_under_its_old_id_stays_and_stops_nothing(db: Person, world: World) -> None:
    restored, of_message, of_validation, plain = (old_conversation(db, world.ann) for _ in range(4))
    kept = validate(db, world.ann, "passed", message_id=newest(db, of_validation))
    archived = newest(db, of_message)
    assert db.value(ARCHIVE) == 4
    past = {"created_at": "epoch", "updated_at": "epoch"}
    begin(db, world.ann, id=restored, **past)
    say(db, begin(db, world.ann, **past), id=archived, **past)
    message = say(db, begin(db, world.ann, **past), **past)
    validate(db, world.ann, "blocked", id=kept, message_id=message)
    before = content(db, "archived_")
    assert db.value(ARCHIVE) == 0
    assert content(db, "archived_") == before
    assert whereabouts(db, plain) == "archived"
    another = old_conversation(db, world.ann)
    assert db.value(ARCHIVE) == 1 and whereabouts(db, another) == "archived"


def test_an_archived_validation_can_be_overridden(db: Person, world: World) -> None:
    activity = propose(db, world.ann, status="approved")
    message = newest(db, old_conversation(db, world.ann))
    validation = validate(db, world.ann, message_id=message, agent_activity_id=activity, override_allowed=True)
    alone = validate(db, world.ann, message_id=message, override_allowed=True)
    execute = "UPDATE agent_activities SET status = 'executed' WHERE id = %s"
    assert db.value(ARCHIVE) == 1
    with db.refused("agent_activities_ethics_check"):
        db.run(execute, [activity])
    with world.bob.acting(db), db.refused(sqlstate="P0002"):
        db.run("SELECT override_validation(%s, 'I say so')", [validation])
    with world.ann.acting(db):
        with db.refused(sqlstate="P0002"):
            db.run("SELECT override_validation(%s, 'nothing is left to override')", [alone])
        copy = db.row("SELECT * FROM override_validation(%s, 'I have read it')", [validation])
    assert (copy.message_id, copy.agent_activity_id, copy.overridden_by_user) == (None, activity, True)
    assert copy.metadata == {"overrides": validation, "override_reason": "I have read it"}
    assert db.run(execute, [activity]) == 1


def test_a_backlog_beyond_one_batch_is_archived_at_once(db: Person, world: World) -> None:
    db.run(
        "INSERT INTO conversations (user_id, created_at, updated_at) SELECT %s, t, t"
        " FROM (SELECT now() - interval '13 months') AS x (t), generate_series(1, 1001)",
        [world.ann.id],
    )
    assert db.value(ARCHIVE) == 1001
    assert [len(rows) for rows in content(db) + content(db, "archived_")] == [0, 0, 0, 1001, 0, 0]


@pytest.mark.rule("OTH-23", "accepts")
def test_users_read_their_archive(db: Person, world: World) -> None:
    for user in (world.ann, world.bob):
        validate(db, user, "passed", message_id=newest(db, old_conversation(db, user)))
    db.run(ARCHIVE)
    for user in (world.ann, world.bob):
        with user.acting(db):
            for table in TABLES:
                assert {row.user_id for row in db.rows(f"SELECT user_id FROM archived_{table}")} == {user.id}
            db.run("SELECT soft_delete_user(%s)", [user.id])
            for table in TABLES:
                assert db.rows(f"SELECT id FROM archived_{table}") == []
    with db.as_service():
        assert [len(rows) for rows in content(db, "archived_")] == [2, 4, 2]


@pytest.mark.rule("OTH-23", "refuses")
@pytest.mark.parametrize("table", TABLES)
def test_the_archive_is_read_only(db: Person, world: World, table: str) -> None:
    validate(db, world.ann, "passed", message_id=newest(db, old_conversation(db, world.ann)))
    db.run(ARCHIVE)
    before = content(db, "archived_")
    for person in (world.ann.acting(db), db.as_service()):
        with person:
            for sql in (
                f"UPDATE archived_{table} SET user_id = user_id",
                f"DELETE FROM archived_{table}",
                f"INSERT INTO archived_{table} SELECT * FROM archived_{table}",
                f"TRUNCATE archived_{table} CASCADE",
            ):
                with db.refused(sqlstate="42501"):
                    db.run(sql)
    with db.as_anon(), db.refused(sqlstate="42501"):
        db.run(f"SELECT id FROM archived_{table}")
    assert content(db, "archived_") == before


@pytest.mark.rule("OTH-23", "refuses")
def test_only_the_service_archives(db: Person, world: World) -> None:
    conversation = old_conversation(db, world.ann)
    for person in (world.ann.acting(db), db.as_anon()):
        with person, db.refused(sqlstate="42501"):
            db.run(ARCHIVE)
    assert whereabouts(db, conversation) == "live"
    with db.as_service():
        assert db.value(ARCHIVE) == 1


@pytest.mark.rule("OTH-23", "refuses")
def test_the_archive_holds_rows_of_one_owner_once(db: Person, world: World) -> None:
    activity = propose(db, world.ann)
    message = newest(db, old_conversation(db, world.ann))
    validate(db, world.ann, "passed", message_id=message, agent_activity_id=activity)
    db.run(ARCHIVE)
    for table in TABLES:
        with db.refused(f"archived_{table}_pkey", "23505"):
            db.run(f"INSERT INTO archived_{table} SELECT * FROM archived_{table} LIMIT 1")
    for sql, rule in (
        ("UPDATE archived_conversations SET user_id = 0", "archived_messages_conversation_id_fkey"),
        (
            "DELETE FROM archived_messages; UPDATE archived_conversations SET user_id = 0",
            "archived_conversations_user_id_fkey",
        ),
        ("UPDATE archived_messages SET user_id = 0", "archived_messages_conversation_id_fkey"),
        ("UPDATE archived_ethical_validations SET user_id = 0", "archived_ethical_validations_message_id_fkey"),
        ("UPDATE archived_messages SET conversation_id = 0", "archived_messages_conversation_id_fkey"),
        ("UPDATE archived_ethical_validations SET message_id = 0", "archived_ethical_validations_message_id_fkey"),
        (
            "UPDATE archived_ethical_validations SET agent_activity_id = 0",
            "archived_ethical_validations_agent_activity_id_fkey",
        ),
    ):
        with db.refused(rule, "23503"):
            db.run(sql)
    # Its columns are as those of the live tables: null where they are, and nowhere else.
    for table in TABLES:
        nullable = [
            {
                row.attname
                for row in db.rows(
                    "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attnotnull"
                    " AND NOT attisdropped",
                    [name],
                )
            }
            for name in (table, f"archived_{table}")
        ]
        # An archived validation is there because of its message.
        assert nullable[0] - nullable[1] == ({"message_id"} if table == "ethical_validations" else set())
        assert nullable[1] <= nullable[0]


@pytest.mark.rule("OTH-23", "accepts")
def test_the_archive_goes_with_its_user_and_its_activity(db: Person, world: World) -> None:
    activity = propose(db, world.ann)
    for user in (world.ann, world.bob):
        message = newest(db, old_conversation(db, user))
        columns = {"agent_activity_id": activity} if user == world.ann else {}
        validate(db, user, "passed", message_id=message, **columns)
    db.run(ARCHIVE)
    db.run("DELETE FROM agent_activities WHERE id = %s", [activity])
    assert [len(rows) for rows in content(db, "archived_")] == [2, 4, 1]
    with db.as_service():
        assert db.run("DELETE FROM users WHERE id = %s", [world.bob.id]) == 1
    assert [len(rows) for rows in content(db, "archived_")] == [1, 2, 0]
    assert {row["user_id"] for row in content(db, "archived_")[1]} == {world.ann.id}


# The job meets others


@pytest.fixture
def meeting(connect: Callable[[], Person]) -> tuple[Person, Person, World, int]:
    """Somebody, the service that runs the job, and an old conversation of Ann's with a validation."""
    other, job = connect(), connect()
    world = build_world(other)
    conversation = old_conversation(other, world.ann)
    validate(other, world.ann, "passed", message_id=newest(other, conversation))
    job.run("SET ROLE service_role")
    return other, job, world, conversation


Meeting = tuple[Person, Person, World, int]

# What somebody may be doing with a conversation, and whether it has then been touched.
DOINGS = {
    "write": ("INSERT INTO messages (conversation_id, role, content) VALUES (%s, 'user', 'Late')", True),
    "correct": ("UPDATE messages SET content = 'Corrected' WHERE conversation_id = %s", True),
    "rename": ("UPDATE conversations SET title = 'Walks' WHERE id = %s", True),
    "delete": ("SELECT soft_delete_conversation(%s)", True),
    "validate": (
        "INSERT INTO ethical_validations (user_id, message_id, result) SELECT user_id, max(id), 'passed' FROM messages"
        " WHERE conversation_id = %s GROUP BY user_id",
        False,
    ),
}


@pytest.mark.rule("OTH-23", "refuses")
@pytest.mark.parametrize("doing", DOINGS)
def test_the_job_gives_way_to_who_came_first(meeting: Meeting, doing: str) -> None:
    other, job, world, conversation = meeting
    sql, touches = DOINGS[doing]
    old = old_conversation(other, world.bob, "14 months", messages=0)
    for end in ("ROLLBACK", "COMMIT"):
        with other.as_service() if doing == "validate" else world.ann.acting(other):
            other.run("BEGIN")
            assert other.run(sql, [conversation]) > 0
            assert job.value(ARCHIVE) <= 1, "only Bob's, if that did not fall into the same batch"
            other.run(end)
        assert whereabouts(other, conversation) == "live"
    before = content(other)
    job.run(ARCHIVE)
    assert whereabouts(other, old) == "archived"
    assert whereabouts(other, conversation) == ("live" if touches else "archived")
    if not touches:
        archived = content(other, "archived_")
        assert archived[1:] == before[1:]
        assert len(archived[2]) == 2
    else:
        assert content(other)[1:] == before[1:]


@pytest.mark.rule("OTH-23", "refuses")
@pytest.mark.parametrize("end", ["COMMIT", "ROLLBACK"])
@pytest.mark.parametrize("doing", DOINGS)
def test_who_comes_second_waits_for_the_job(meeting: Meeting, doing: str, end: str) -> None:
    other, job, world, conversation = meeting
    before = content(other)
    job.run("BEGIN")
    assert job.value(ARCHIVE) == 1
    with other.as_service() if doing == "validate" else world.ann.acting(other):
        with blocked(other, job, DOINGS[doing][0], [conversation]) as outcome:
            job.run(end)
        if end == "ROLLBACK":
            assert outcome.result() > 0
        elif doing in ("correct", "rename"):
            assert outcome.result() == 0
        else:
            rule = {
                "write": {"constraint": "messages_conversation_id_fkey", "sqlstate": "23503"},
                "validate": {"constraint": "ethical_validations_message_id_fkey", "sqlstate": "23503"},
                "delete": {"sqlstate": "P0002"},
            }[doing]
            with other.refused(**rule):
                outcome.result()
    assert whereabouts(other, conversation) == ("archived" if end == "COMMIT" else "live")
    if end == "COMMIT":
        assert content(other) == [[], [], []]
        assert content(other, "archived_") == before


def be_patient(job: Person) -> None:
    """Let the job wait for others, so that they can be met halfway."""
    job.run("RESET ROLE")
    job.run("ALTER FUNCTION archive_inactive_conversations(interval) SET lock_timeout = '30s'")
    job.run("SET ROLE service_role")


@pytest.mark.rule("OTH-23", "refuses")
@pytest.mark.parametrize("doing", ["write", "validate"])
def test_nothing_comes_between_copy_and_removal(meeting: Meeting, connect: Callable[[], Person], doing: str) -> None:
    other, job, world, conversation = meeting
    activity = propose(other, world.ann)
    validate(other, world.ann, "passed", message_id=newest(other, conversation), agent_activity_id=activity)
    before = content(other)
    be_patient(job)
    writer = connect()
    other.run("BEGIN")
    other.run("SELECT FROM agent_activities FOR UPDATE")
    # The job has copied the messages and waits for the activity, to which the archived validation shall refer.
    with blocked(job, other, ARCHIVE) as outcome, writer.as_service():
        writer.run("SET lock_timeout = '100ms'")
        with writer.refused(sqlstate="55P03"):
            writer.run(DOINGS[doing][0], [conversation])
        other.run("COMMIT")
    assert outcome.result() == 1
    assert content(other) == [[], [], []]
    assert content(other, "archived_") == before


@pytest.mark.rule("OTH-23", "accepts")
def test_a_message_that_changes_while_the_job_waits_keeps_the_conversation(meeting: Meeting) -> None:
    other, job, world, conversation = meeting
    be_patient(job)
    with world.ann.acting(other):
        other.run("BEGIN")
        other.run("UPDATE messages SET content = 'Corrected' WHERE id = %s", [newest(other, conversation)])
        with blocked(job, other, ARCHIVE) as outcome:
            other.run("COMMIT")
        assert outcome.result() == 1
    assert whereabouts(other, conversation) == "live"


@pytest.mark.rule("OTH-23", "refuses")
def test_a_user_is_deleted_before_the_job_or_after_it(meeting: Meeting) -> None:
    other, job, world, conversation = meeting
    delete = "DELETE FROM users WHERE id = %s"
    other.run("BEGIN")
    other.run(delete, [world.ann.id])
    assert job.value(ARCHIVE) == 0
    other.run("COMMIT")
    assert content(other) + content(other, "archived_") == [[]] * 6
    conversation = old_conversation(other, world.bob)
    validate(other, world.bob, "passed", message_id=newest(other, conversation))
    job.run("BEGIN")
    assert job.value(ARCHIVE) == 1
    with blocked(other, job, delete, [world.bob.id]) as outcome:
        job.run("COMMIT")
    assert outcome.result() == 1
    assert content(other) + content(other, "archived_") == [[]] * 6


@pytest.mark.rule("OTH-23", "accepts")
def test_the_job_gives_way_to_who_holds_the_user(meeting: Meeting) -> None:
    other, job, world, _ = meeting
    before = content(other)
    other.run("BEGIN")
    other.run("SELECT FROM users WHERE id = %s FOR UPDATE", [world.ann.id])
    assert job.value(ARCHIVE) == 0
    other.run("COMMIT")
    assert content(other) == before
    assert job.value(ARCHIVE) == 1
    assert content(other, "archived_") == before


@pytest.mark.rule("OTH-23", "accepts")
def test_two_jobs_at_once_archive_each_conversation_once(meeting: Meeting) -> None:
    other, job, _, conversation = meeting
    other.run("BEGIN")
    assert other.value(ARCHIVE) == 1
    assert job.value(ARCHIVE) == 0
    other.run("COMMIT")
    assert job.value(ARCHIVE) == 0
    assert whereabouts(job, conversation) == "archived"


# The jobs

JOBS = [
    (
        "archive-inactive-conversations",
        "30 2 1 * *",
        'SELECT "{}".archive_inactive_conversations()',
        "Moves conversations without activity for 12 months to the archive tables.",
    ),
    (
        "expire-inactive-sessions",
        "5 * * * *",
        'SELECT "{}".expire_inactive_sessions()',
        "Ends sessions idle for 30 days, or whose token was not rotated for 90.",
    ),
]


@pytest.mark.rule("OTH-06", "accepts")
@pytest.mark.rule("OTH-23", "accepts")
def test_exactly_these_jobs_are_scheduled(db: Person) -> None:
    with db.as_service():
        found = db.rows(
            "SELECT name, schedule, replace(command, '\"', '') AS command, description FROM jobs ORDER BY 1"
        )
    assert found == [(name, at, command.format(db.schema).replace('"', ""), what) for name, at, command, what in JOBS]


@pytest.mark.rule("OTH-06", "accepts")
@pytest.mark.rule("OTH-23", "accepts")
@pytest.mark.parametrize(
    ("job", "effect"),
    [
        ("expire-inactive-sessions", "SELECT count(*) FROM session_logs WHERE is_active"),
        ("archive-inactive-conversations", "SELECT count(*) FROM conversations"),
    ],
)
def test_a_job_does_its_work_under_any_search_path(db: Person, world: World, job: str, effect: str) -> None:
    for age in ("11 months", "13 months"):
        old_conversation(db, world.ann, age)
        db.run("SELECT open_session(%s, NULL, NULL)", [world.ann.id])
    db.run(
        "UPDATE session_logs SET rotated_at = now() - interval '91 days' WHERE id = (SELECT max(id) FROM session_logs)"
    )
    assert db.value(effect) == 2
    command = db.value("SELECT command FROM jobs WHERE name = %s", [job])
    db.run("CREATE TEMPORARY TABLE conversations (id bigint) ON COMMIT DROP")
    db.run("CREATE TEMPORARY TABLE session_logs (id bigint) ON COMMIT DROP")
    db.run("SET LOCAL search_path = pg_temp")
    assert db.value(command) == 1
    db.run(f'SET LOCAL search_path = "{db.schema}", platform, pg_temp')
    assert db.value(effect) == 1


@pytest.mark.rule("OTH-06", "accepts")
@pytest.mark.rule("OTH-23", "accepts")
def test_pg_cron_runs_the_jobs_of_each_instance_under_its_name(db: Person) -> None:
    with_pg_cron(db)
    db.run("CREATE TEMPORARY TABLE declared ON COMMIT DROP AS SELECT * FROM jobs")
    db.run("DELETE FROM jobs")
    db.run("INSERT INTO jobs SELECT * FROM declared")
    scheduled = db.rows("SELECT jobname, schedule FROM cron.job WHERE starts_with(jobname, %s)", [f"{db.schema}:"])
    assert dict(scheduled) == {f"{db.schema}:{name}": schedule for name, schedule, _, _ in JOBS}


@pytest.mark.rule("OTH-06", "refuses")
@pytest.mark.rule("OTH-23", "refuses")
def test_a_job_has_a_name_of_its_own_and_a_schedule_that_cron_takes(db: Person) -> None:
    for schedule in ("", "monthly", "* * * *", "60 * * * *", "@hourly"):
        with db.refused("jobs_schedule_check", "23514"):
            db.run("UPDATE jobs SET schedule = %s WHERE name = 'expire-inactive-sessions'", [schedule])
    with db.refused("jobs_pkey", "23505"):
        db.run("INSERT INTO jobs VALUES ('expire-inactive-sessions', '0 0 * * *', 'SELECT 1', 'Again')")
    for column in ("name", "schedule", "command", "description"):
        with db.refused(sqlstate="23502") as caught:
            db.run(f"UPDATE jobs SET {column} = NULL")
        assert caught.value.diag.column_name == column


@pytest.mark.rule("OTH-06", "refuses")
@pytest.mark.rule("OTH-23", "refuses")
def test_no_api_role_changes_jobs_and_users_do_not_see_them(db: Person, world: World) -> None:
    with db.as_service():
        for sql in (
            "UPDATE jobs SET command = 'SELECT 1'",
            "DELETE FROM jobs",
            "INSERT INTO jobs VALUES ('mine', '* * * * *', 'SELECT 1', 'Mine')",
        ):
            with db.refused(sqlstate="42501"):
                db.run(sql)
    for person in (world.ann.acting(db), db.as_anon()):
        with person, db.refused(sqlstate="42501"):
            db.run("SELECT name FROM jobs")
