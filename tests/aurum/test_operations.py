"""What runs by itself and what operators look at: jobs, the archive, slow queries, monitoring, prepared statements."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.types.json import Jsonb

from tests.aurum.world import User, World, add_task, build_world, reflect, say, sign_up, write
from tests.people import Person, insert
from tests.vectors import vector

# Jobs


@pytest.mark.rule("AUR-21", "accepts")
def test_these_jobs_run(db: Person) -> None:
    with db.as_service():
        rows = db.rows("SELECT name, schedule, command FROM jobs ORDER BY name")
    assert rows == [
        ("archive-conversations", "0 5 1 * *", f"SELECT {db.schema}.archive_old_conversations()"),
        ("expire-insights", "5 * * * *", f"SELECT {db.schema}.expire_insights()"),
        ("refresh-hierarchy-view", "15 3 * * *", f"SELECT {db.schema}.refresh_hierarchy_view()"),
        ("refresh-statistics", "45 3 * * *", f"SELECT {db.schema}.refresh_all_statistics()"),
        ("refresh-user-stats", "30 3 * * *", f"SELECT {db.schema}.refresh_user_stats()"),
        ("slow-query-report", "0 4 * * 1", f"SELECT {db.schema}.slow_query_report()"),
    ]
    assert db.value("SELECT bool_and(platform.is_not_blank(description)) FROM jobs")


@pytest.mark.rule("AUR-21", "accepts")
def test_jobs_run_whatever_the_session_looks_at(db: Person, world: World) -> None:
    say(db, world.ann, created_at="2020-01-01")
    results = {}
    for row in db.rows("SELECT name, command FROM jobs"):
        db.run("SET LOCAL search_path = pg_catalog")
        results[row.name] = db.value(row.command)
        db.run(f'SET LOCAL search_path = "{db.schema}", platform, pg_temp')
    assert results == {
        "archive-conversations": 1,
        "expire-insights": 0,
        "refresh-hierarchy-view": "",
        "refresh-statistics": 8,
        "refresh-user-stats": 2,
        "slow-query-report": 0,
    }
    with db.as_user(world.ann.id):
        assert db.value("SELECT count(*) FROM my_hierarchy") == 1


@pytest.mark.rule("AUR-21", "refuses")
def test_nobody_changes_the_jobs(db: Person, world: World) -> None:
    for person in (db.as_user(world.ann.id), db.as_anon(), db.as_service()):
        with person:
            for sql in ("DELETE FROM jobs", "UPDATE jobs SET command = 'SELECT 1'"):
                with db.refused(sqlstate="42501"):
                    db.run(sql)
    with db.as_user(world.ann.id), db.refused(sqlstate="42501"):
        db.rows("SELECT * FROM jobs")
    for schedule in ("", "daily", "60 * * * *", "* * * *"):
        with db.refused("jobs_schedule_check", "23514"):
            db.run("UPDATE jobs SET schedule = %s", [schedule])


@pytest.mark.rule("AUR-21", "refuses")
@pytest.mark.parametrize(
    "call", ["archive_old_conversations()", "slow_query_report()", "expire_insights()", "data_quality_report()"]
)
def test_users_do_the_work_of_no_job(db: Person, world: World, call: str) -> None:
    for person in (db.as_user(world.ann.id), db.as_anon()):
        with person, db.refused(sqlstate="42501"):
            db.run(f"SELECT {call}")


# The archive of conversations


def archive(db: Person, *older_than: str) -> int:
    """Archive as a service and return how many messages went."""
    with db.as_service():
        given = "%s::interval" if older_than else ""
        return db.value(f"SELECT archive_old_conversations({given})", older_than or None)


def talk(db: Person, user: User, *ages: str, **columns: Any) -> UUID:
    """Insert messages of one session, of these ages, and return the session."""
    session = uuid4()
    for age in ages:
        at = db.value("SELECT now() - %s::interval", [age])
        say(db, user, session_id=session, created_at=at, **columns)
    return session


def sessions(db: Person, table: str) -> list[UUID]:
    return sorted(row.session_id for row in db.rows(f"SELECT session_id FROM {table}"))


@pytest.mark.rule("AUR-21", "accepts")
@pytest.mark.rule("AUR-21", "refuses")
def test_conversations_are_archived_whole(db: Person, world: World) -> None:
    old = talk(db, world.ann, "6 months 2 days", "6 months 1 day")
    lasting = talk(db, world.ann, "3 years", "5 months")
    bobs = talk(db, world.bob, "7 months")
    assert archive(db) == 3
    assert sessions(db, "archived_conversation_memory") == sorted([old, old, bobs])
    assert sessions(db, "ai_conversation_memory") == [lasting, lasting]
    assert archive(db) == 0


@pytest.mark.rule("AUR-21", "accepts")
def test_a_session_is_one_of_one_user(db: Person, world: World) -> None:
    # An id of a session is whatever a client sends.
    session = talk(db, world.ann, "1 year")
    talk(db, world.bob, "1 day")
    db.run("UPDATE ai_conversation_memory SET session_id = %s", [session])
    assert archive(db) == 1
    assert db.value("SELECT user_id FROM ai_conversation_memory") == world.bob.id


@pytest.mark.rule("AUR-21", "accepts")
def test_all_but_the_embedding_is_kept_in_the_archive(db: Person, world: World) -> None:
    say(
        db,
        world.ann,
        "Why?",
        conversation_date="2020-01-01",
        message_role="assistant",
        message_embedding=vector(1),
        context_entities=Jsonb({"tasks": ["x"]}),
        tokens_used=7,
        model_used="tiny",
        response_time_ms=9,
        was_helpful=False,
        created_at="2020-01-01 12:00Z",
    )
    columns = [
        row.attname
        for row in db.rows(
            "SELECT attname FROM pg_attribute WHERE attrelid = 'archived_conversation_memory'::regclass AND attnum > 0"
        )
        if row.attname != "archived_at"
    ]
    find = f"SELECT {', '.join(columns)} FROM"
    before = db.row(f"{find} ai_conversation_memory")
    assert None not in before
    archive(db)
    with db.as_user(world.ann.id):
        assert db.row(f"{find} archived_conversation_memory") == before
        assert db.value("SELECT archived_at = now() FROM archived_conversation_memory")
    left = db.rows(
        "SELECT attname FROM pg_attribute WHERE attrelid = 'ai_conversation_memory'::regclass AND attnum > 0"
    )
    assert {row.attname for row in left if "embedding" not in row.attname} == {*columns}


@pytest.mark.rule("AUR-21", "refuses")
def test_nothing_is_in_the_archive_that_nobody_said(db: Person, world: World) -> None:
    talk(db, world.ann, "1 year")
    archive(db)
    with db.refused("archived_conversation_memory_message_role_check", "23514"):
        db.run("UPDATE archived_conversation_memory SET message_role = 'tool'")


@pytest.mark.rule("AUR-21", "accepts")
@pytest.mark.rule("AUR-21", "refuses")
def test_the_archive_is_read_by_its_user_only(db: Person, world: World) -> None:
    session = talk(db, world.ann, "1 year")
    archive(db)
    with db.as_user(world.ann.id):
        assert sessions(db, "archived_conversation_memory") == [session]
        for sql in (
            "DELETE FROM archived_conversation_memory",
            "UPDATE archived_conversation_memory SET message_content = 'x'",
        ):
            with db.refused(sqlstate="42501"):
                db.run(sql)
    with db.as_user(world.bob.id):
        assert sessions(db, "archived_conversation_memory") == []
    with db.as_anon(), db.refused(sqlstate="42501"):
        sessions(db, "archived_conversation_memory")


@pytest.mark.rule("AUR-21", "accepts")
def test_the_archive_changes_no_counter(db: Person, world: World) -> None:
    talk(db, world.ann, "1 year", "2 years", "3 years")
    talk(db, world.ann, "1 year", message_role="assistant")
    find = "SELECT total_ai_interactions FROM user_stats WHERE user_id = %s"
    assert db.value(find, [world.ann.id]) == 3
    assert archive(db) == 4
    assert db.value(find, [world.ann.id]) == 3
    assert db.value("SELECT total_ai_interactions FROM user_counters(%s)", [[world.ann.id]]) == 3
    # What is corrected or removed there counts as well.
    for sql in (
        "UPDATE archived_conversation_memory SET message_role = 'user' WHERE message_role = 'assistant'",
        "DELETE FROM archived_conversation_memory WHERE id = (SELECT max(id::text)::uuid FROM"
        " archived_conversation_memory)",
    ):
        with db.as_service():
            db.run(sql)
        counted = db.value("SELECT total_ai_interactions FROM user_counters(%s)", [[world.ann.id]])
        assert db.value(find, [world.ann.id]) == counted
    assert counted == 3


@pytest.mark.rule("AUR-21", "accepts")
@pytest.mark.rule("AUR-21", "refuses")
def test_the_age_is_any_that_is_not_negative(db: Person, world: World) -> None:
    talk(db, world.ann, "2 days")
    talk(db, world.ann, "1 second")
    for age in ("-1 second", "-1 month", None):
        with db.as_service(), db.refused(sqlstate="22023"):
            db.value("SELECT archive_old_conversations(%s::interval)", [age])
    assert [archive(db, age) for age in ("3 days", "1 day", "0")] == [0, 1, 1]


@pytest.mark.rule("AUR-21", "accepts")
def test_more_sessions_than_a_batch_are_all_archived(db: Person, world: World) -> None:
    db.run(
        "INSERT INTO ai_conversation_memory (user_id, message_role, message_content, session_id, created_at)"
        " SELECT %s, 'user', 'Hello', gen_random_uuid(), '2020-01-01' FROM generate_series(1, 250)",
        [world.ann.id],
    )
    assert archive(db) == 250


@pytest.mark.rule("AUR-21", "accepts")
@pytest.mark.rule("AUR-21", "refuses")
def test_what_somebody_is_changing_is_left_for_the_next_time(connect: Callable[[], Person]) -> None:
    writer, job = connect(), connect()
    world = build_world(writer)
    # The whole session stays; the batch that it is in, too, and none but that.
    held = talk(writer, world.ann, "1 year", "2 years")
    writer.run(
        "INSERT INTO ai_conversation_memory (user_id, message_role, message_content, created_at)"
        " SELECT %s, 'user', 'Hello', '2020-01-01' FROM generate_series(1, 200)",
        [world.bob.id],
    )
    writer.run("BEGIN")
    writer.run("UPDATE ai_conversation_memory SET was_helpful = TRUE WHERE session_id = %s", [held])
    assert archive(job) >= 100
    assert sessions(job, "archived_conversation_memory").count(held) == 0
    assert sessions(job, "ai_conversation_memory").count(held) == 2
    writer.run("COMMIT")
    assert archive(job) >= 2
    assert len(sessions(job, "archived_conversation_memory")) == 202
    assert job.value("SELECT count(*) FROM archived_conversation_memory WHERE was_helpful") == 2


@pytest.mark.rule("AUR-21", "refuses")
def test_the_archive_waits_for_nobody_who_locks_the_table(connect: Callable[[], Person]) -> None:
    writer, job = connect(), connect()
    talk(writer, build_world(writer).ann, "1 year")
    with writer.conn.transaction():
        writer.run("LOCK TABLE ai_conversation_memory")
        assert archive(job) == 0
    assert archive(job) == 1


# Slow queries


@pytest.mark.rule("AUR-21", "accepts")
def test_without_pg_stat_statements_there_is_nothing_to_report(db: Person) -> None:
    with db.as_service():
        assert db.value("SELECT slow_query_report()") == 0
        assert db.rows("SELECT * FROM slow_queries") == []


def measure(db: Person, schema: str, installed: bool = True) -> None:
    """Make what pg_stat_statements would show, in this schema, and say (or not) that the extension is there."""
    db.run(f'CREATE SCHEMA IF NOT EXISTS "{schema}"')
    db.run(
        f'CREATE VIEW "{schema}".pg_stat_statements AS'
        " SELECT d.oid AS dbid, q.query, q.calls, q.total / q.calls AS mean_exec_time, q.total AS total_exec_time,"
        " q.rows FROM (VALUES ('fast', 10::bigint, 5.0::double precision, 20::bigint), ('slow', 2, 300, 4),"
        " (NULL, 1, 999, 1), (repeat('x', 10001), 1, 100, 1)) AS q (query, calls, total, rows), pg_database AS d"
        " WHERE d.datname = current_database()"
        " UNION ALL SELECT d.oid, 'of another database', 1, 1, 1000, 1 FROM pg_database AS d"
        " WHERE d.datname = 'postgres'"
    )
    if installed:
        db.run("SET LOCAL allow_system_table_mods = on")
        db.run(
            "INSERT INTO pg_extension (oid, extname, extowner, extnamespace, extrelocatable, extversion)"
            " SELECT 999999, 'pg_stat_statements', n.nspowner, n.oid, TRUE, '1' FROM pg_namespace AS n"
            " WHERE n.nspname = %s",
            [schema],
        )


@pytest.mark.rule("AUR-21", "accepts")
def test_the_statements_that_took_most_time_are_reported(db: Person) -> None:
    measure(db, "Some where")
    with db.as_service():
        assert db.value("SELECT slow_query_report()") == 3
        rows = db.rows(
            "SELECT query, calls, mean_exec_ms, total_exec_ms, rows, reported_at = now() AS now FROM slow_queries"
            " ORDER BY id"
        )
    assert rows == [
        ("slow", 2, 150, 300, 4, True),
        ("x" * 10_000, 1, 100, 100, 1, True),
        ("fast", 10, 0.5, 5, 20, True),
    ]


@pytest.mark.rule("AUR-21", "accepts")
@pytest.mark.parametrize(("limit", "found"), [(1, 1), (2, 2), (0, 0), (-1, 0), (None, 3)])
def test_as_many_statements_are_reported_as_asked_for(db: Person, limit: int | None, found: int) -> None:
    measure(db, "extensions")
    with db.as_service():
        assert db.value("SELECT slow_query_report(%s)", [limit]) == found
        assert db.value("SELECT count(*) FROM slow_queries") == found


@pytest.mark.rule("AUR-21", "refuses")
def test_what_only_bears_the_name_is_not_read(db: Person) -> None:
    # Its owner's functions would run with the rights of the report.
    for schema in ("public", "anybodys", db.schema):
        if not db.value("SELECT to_regclass(%s) IS NOT NULL", [f'"{schema}".pg_stat_statements']):
            measure(db, schema, installed=False)
    with db.as_service():
        assert db.value("SELECT slow_query_report()") == 0
    measure(db, "real")
    db.run("CREATE OR REPLACE VIEW real.pg_stat_statements AS SELECT * FROM public.pg_stat_statements LIMIT 0")
    with db.as_service():
        assert db.value("SELECT slow_query_report()") == 0


@pytest.mark.rule("AUR-21", "refuses")
def test_users_do_not_read_slow_queries(db: Person, world: World) -> None:
    for person in (db.as_user(world.ann.id), db.as_anon()):
        with person, db.refused(sqlstate="42501"):
            db.rows("SELECT * FROM slow_queries")


# Monitoring

VIEWS = [
    "embedding_coverage",
    "embedding_backlog",
    "storage_growth",
    "vector_index_usage",
    "statistics_cache_usage",
    "user_engagement",
]


@pytest.mark.rule("AUR-22", "refuses")
@pytest.mark.parametrize("view", VIEWS)
def test_monitoring_is_for_operators_only(db: Person, world: World, view: str) -> None:
    for person in (db.as_user(world.ann.id), db.as_anon()):
        with person, db.refused(sqlstate="42501"):
            db.rows(f"SELECT * FROM {view}")
    with db.as_service():
        assert len(db.rows(f"SELECT * FROM {view}")) > 0


@pytest.mark.rule("AUR-22", "accepts")
@pytest.mark.parametrize(
    ("entity", "table", "make"),
    [
        ("journal_entry", "journal_entries", write),
        ("task", "tasks", add_task),
        (
            "project",
            "projects",
            lambda db, user, **columns: insert(
                db, "projects", user_id=user.id, area_id=user.area, name="Book", **columns
            ),
        ),
        ("daily_reflection", "daily_reflections", reflect),
        ("conversation", "ai_conversation_memory", say),
    ],
)
def test_the_backlog_is_what_waits_for_embeddings(
    db: Person, world: World, entity: str, table: str, make: Callable[..., UUID]
) -> None:
    db.run(f"DELETE FROM {table}")
    find = "SELECT waiting, in_work, oldest, made_last_day FROM embedding_backlog WHERE entity = %s"
    now = db.value("SELECT now()")
    ages = [db.value("SELECT now() - %s * interval '1 day'", [days]) for days in range(6)]
    for number, columns in enumerate(
        (
            {},
            {"embedding_claimed_until": db.value("SELECT now() + interval '1 second'")},
            {"embedding_claimed_until": now},
            {"embedding_hash": "x", "embedding_updated_at": db.value("SELECT now() - interval '23 hours'")},
            {"embedding_hash": "x", "embedding_updated_at": ages[1]},
            # Made, and changed since.
            {"embedding_updated_at": now},
        )
    ):
        day = {"reflection_date": ages[number].date()} if table == "daily_reflections" else {}
        make(db, world.ann, created_at=ages[number], **day, **columns)
    with db.as_service():
        assert db.row(find, [entity]) == (4, 1, ages[5], 2)
    db.run(f"UPDATE {table} SET embedding_hash = 'x'")
    with db.as_service():
        assert db.row(find, [entity]) == (0, 0, None, 2)


@pytest.mark.rule("AUR-22", "accepts")
def test_growth_is_shown_of_every_table_of_this_instance(connect: Callable[[], Person]) -> None:
    service = connect()
    world = build_world(service)
    service.run("DELETE FROM tasks WHERE id = %s", [world.bob.task])
    tables = {
        row.relname
        for row in service.rows(
            "SELECT relname FROM pg_class WHERE relnamespace = %s::regnamespace AND relkind = 'r'",
            [f'"{service.schema}"'],
        )
    }
    service.run("SELECT pg_stat_force_next_flush()")
    sizes = service.row("SELECT pg_table_size('tasks') AS tasks, pg_indexes_size('tasks') AS indexes")
    with service.as_service():
        rows = {row.table_name: row for row in service.rows("SELECT * FROM storage_growth")}
    # Materialized views are among the tables of the statistics.
    assert {*rows} == {*tables, "hierarchy_view"}
    row = rows["tasks"]
    assert (row.live_rows, row.dead_rows, row.rows_added) == (1, 1, 1)
    assert (row.table_bytes, row.index_bytes) == (sizes.tasks, sizes.indexes)
    assert (row.last_autovacuum, row.last_autoanalyze) == (None, None)


@pytest.mark.rule("AUR-22", "accepts")
def test_use_is_shown_of_every_vector_index(connect: Callable[[], Person]) -> None:
    service = connect()
    ann = build_world(service).ann
    with service.as_service():
        for number in range(5):
            write(service, ann, str(number), content_embedding=vector(1, number))
    find = "SELECT * FROM vector_index_usage"
    with service.as_service():
        rows = {row.index_name: row for row in service.rows(find)}
    assert {(row.table_name, row.index_name) for row in rows.values()} == {
        ("journal_entries", "idx_journal_content_embedding"),
        ("tasks", "idx_task_description_embedding"),
        ("projects", "idx_project_embedding"),
        ("daily_reflections", "idx_reflection_embedding"),
        ("ai_conversation_memory", "idx_conversation_embedding"),
    }
    assert {(row.searches, row.rows_read, row.rows_per_search) for row in rows.values()} == {(0, 0, None)}
    service.run("SET enable_seqscan = off")
    for limit in (1, 2):
        sql = f"SELECT id FROM journal_entries ORDER BY content_embedding OPERATOR(extensions.<=>) %s LIMIT {limit}"
        assert len(service.rows(sql, [vector(1)])) == limit
    service.run("SELECT pg_stat_force_next_flush()")
    size = service.value("SELECT pg_relation_size('idx_journal_content_embedding')")
    with service.as_service():
        row = {row.index_name: row for row in service.rows(find)}["idx_journal_content_embedding"]
    assert (row.searches, row.rows_read, float(row.rows_per_search), row.index_bytes) == (2, 3, 1.5, size)
    assert row.blocks_from_memory > 0
    assert row.blocks_from_disk >= 0


@pytest.mark.rule("AUR-22", "accepts")
def test_cache_effectiveness_is_the_share_with_figures_of_yesterday(db: Person, world: World) -> None:
    for name in ("cleo", "dora"):
        sign_up(db, name)
    find = "SELECT stat_type, users, cached, coverage, oldest FROM statistics_cache_usage ORDER BY stat_type"
    with db.as_service():
        assert db.rows(find) == [(kind, 4, 0, 0, None) for kind in ("daily", "monthly", "weekly")]
        db.run("SELECT refresh_user_statistics(%s, current_date - 1)", [world.ann.id])
        # Of today and of long ago.
        db.run("SELECT refresh_user_statistics(%s)", [world.bob.id])
        for kind in ("daily", "weekly", "monthly"):
            db.run("SELECT refresh_user_statistics(%s, '2020-01-01', %s)", [world.bob.id, kind])
        db.run("SELECT refresh_user_statistics(%s, current_date - 1, 'monthly')", [world.ann.id])
        rows = db.rows(find)
    assert [(*row[:3], float(row.coverage)) for row in rows] == [
        ("daily", 4, 1, 0.25),
        ("monthly", 4, 1, 0.25),
        ("weekly", 4, 0, 0),
    ]
    assert [row.oldest for row in rows] == [*[db.value("SELECT now()")] * 2, None]
    with db.as_service():
        db.run("SELECT refresh_all_statistics()")
        assert {(row.cached, float(row.coverage)) for row in db.rows(find)} == {(4, 1)}
    db.run("DELETE FROM user_stats")
    with db.as_service():
        assert {row.coverage for row in db.rows(find)} == {None}


@pytest.mark.rule("AUR-22", "accepts")
def test_engagement_is_shown_of_thirty_days(db: Person, world: World) -> None:
    today = db.value("SELECT current_date")
    days = [db.value("SELECT current_date - %s", [number]) for number in range(31)]
    for number in (0, 29, 30):
        reflect(db, world.ann, reflection_date=days[number])
        say(db, world.ann, conversation_date=days[number])
    reflect(db, world.bob)
    for role in ("user", "user", "assistant"):
        say(db, world.bob, message_role=role)
    with db.as_service():
        rows = db.rows("SELECT * FROM user_engagement ORDER BY day DESC")
    assert [row.day for row in rows] == days[:30]
    assert rows[0] == (today, 2, 2, 2, 3)
    assert rows[29] == (days[29], 2, 1, 1, 1)
    assert {row[1:] for row in rows[1:29]} == {(2, 0, 0, 0)}


# Prepared statements

PREPARED = ["find_similar_journal_entries", "find_similar_tasks", "rag_search", "search_conversation_memory"]


@pytest.mark.rule("AUR-15", "accepts")
def test_searches_are_prepared_once_or_again(connect: Callable[[], Person]) -> None:
    service = connect()
    ann = build_world(service).ann
    entry = write(service, ann, content_embedding=vector(1))
    task = add_task(service, ann, description="Gently", description_embedding=vector(0.8, 0.6))
    message = say(service, ann, message_embedding=vector(1))
    with service.as_user(ann.id):
        for _ in range(2):
            service.run("SELECT prepare_statements()")
            names = service.rows("SELECT name FROM pg_prepared_statements WHERE from_sql ORDER BY name")
            assert [row.name for row in names] == PREPARED
        # Whatever the session looks at by then.
        service.run("SET search_path = extensions, pg_temp")
        found = {
            name: [row[1 if name == "rag_search" else 0] for row in service.rows(f"EXECUTE {name}('{vector(1)}')")]
            for name in PREPARED
        }
    assert found == {
        "find_similar_journal_entries": [entry],
        "find_similar_tasks": [task],
        "rag_search": [entry, task],
        "search_conversation_memory": [message],
    }


@pytest.mark.rule("AUR-15", "refuses")
def test_what_is_prepared_is_for_the_caller_only(connect: Callable[[], Person]) -> None:
    session = connect()
    world = build_world(session)
    write(session, world.ann, content_embedding=vector(1))
    with session.as_anon(), pytest.raises(psycopg.errors.InsufficientPrivilege):
        session.run("SELECT prepare_statements()")
    with session.as_user(world.bob.id):
        session.run("SELECT prepare_statements()")
        assert session.rows(f"EXECUTE rag_search('{vector(1)}')") == []
    with session.as_anon(), pytest.raises(psycopg.errors.InsufficientPrivilege):
        session.rows(f"EXECUTE rag_search('{vector(1)}')")
