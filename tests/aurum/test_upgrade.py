"""An installation filled at the base stage goes through every file, and back, without losing or changing a fact."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import psycopg
import pytest

from runner.catalog.describe import describe
from runner.catalog.differences import differences
from runner.errors import DataLossError, SqlError
from runner.files.tree import open_tree
from runner.history.instances import Target
from runner.migrate.apply import apply
from runner.migrate.rehearse import rehearse
from runner.migrate.rollback import rollback
from tests.people import Person, insert
from tests.runner.notes import Notes

BASE = "0007_user_stats"
TREE = open_tree()
FILES = [file.id for file in TREE.chain("aurum").files]
LATER = FILES[FILES.index(BASE) + 1 :]
TABLES = ("user_profiles", "pillars", "areas", "projects", "tasks", "journal_entries", "user_stats")

STATUSES = {
    "Not Started": "not_started",
    "In Progress": "in_progress",
    "Completed": "completed",
    "On Hold": "on_hold",
    None: None,
}
# What the database counts by itself once it can.
COUNTERS = {
    "total_journal_entries", "total_tasks", "tasks_completed", "total_areas", "total_projects", "completed_projects",
    "last_updated",
}  # fmt: skip

COLUMNS_SQL = """
SELECT array_agg(attname::text ORDER BY attnum)
FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped
"""

Row = dict[str, Any]
Rows = dict[tuple[str, str], Row]

# Whatever a column can hold turns up in it, each list with a length of its own so that all of them meet.
FILL = """
CREATE FUNCTION pg_temp.id(kind text, n bigint) RETURNS uuid LANGUAGE sql AS
    $$ SELECT md5(kind || n)::uuid $$;
CREATE FUNCTION pg_temp.one(n bigint, VARIADIC choice anycompatiblearray) RETURNS anycompatible LANGUAGE sql AS
    $$ SELECT choice[1 + n % cardinality(choice)] $$;
CREATE FUNCTION pg_temp.words(n bigint) RETURNS text LANGUAGE sql AS
    $$ SELECT pg_temp.one(n, 'Grow', '', 'O''Brien "said"', 'Tee 🍵 trinken', 'C:\\new', E'two\nlines', '  ') $$;
CREATE FUNCTION pg_temp.moment(n bigint) RETURNS timestamptz LANGUAGE sql AS
    $$ SELECT timestamptz '2024-01-01 00:00:00.123456+00' + n * interval '17 minutes' $$;
CREATE FUNCTION pg_temp.created(n bigint) RETURNS timestamptz LANGUAGE sql AS
    $$ SELECT CASE WHEN n % 13 <> 5 THEN pg_temp.moment(n) END $$;
CREATE FUNCTION pg_temp.updated(n bigint) RETURNS timestamptz LANGUAGE sql AS
    $$ SELECT CASE WHEN n % 11 <> 3 THEN pg_temp.moment(n + 500) END $$;

INSERT INTO auth.users (id, email)
SELECT pg_temp.id('user', n), n || '@aurum.example' FROM generate_series(0, 1299) AS n;

INSERT INTO user_profiles
SELECT pg_temp.id('user', n), CASE WHEN n % 5 > 0 THEN n || pg_temp.words(n) END, pg_temp.words(n + 1),
    pg_temp.one(n, NULL, pg_temp.words(n)), NULL, pg_temp.one(n, TRUE, FALSE, NULL), pg_temp.one(n, 1, 7, NULL),
    pg_temp.one(n, 0, 990, -1, NULL), n % 9, pg_temp.one(n, 3, NULL), pg_temp.created(n), pg_temp.updated(n)
FROM generate_series(0, 1299) AS n;

INSERT INTO pillars
SELECT pg_temp.id('pillar', n), pg_temp.id('user', n), pg_temp.words(n), pg_temp.one(n, NULL, pg_temp.words(n + 1)),
    NULL, pg_temp.one(n, '#F4B400', '', NULL), pg_temp.one(n, 0, -3, NULL), pg_temp.one(n, FALSE, TRUE, NULL),
    pg_temp.one(n, NULL, 0, 33.33, 999.99), pg_temp.created(n), pg_temp.updated(n)
FROM generate_series(0, 1299) AS n;

INSERT INTO areas
SELECT pg_temp.id('area', n), pg_temp.id('user', n), CASE WHEN n % 7 > 0 THEN pg_temp.id('pillar', n) END,
    pg_temp.words(n), pg_temp.one(n, NULL, pg_temp.words(n + 1)), 'leaf', NULL, pg_temp.one(n, 1, 2, 3, 4, 5, NULL),
    pg_temp.one(n, FALSE, TRUE, NULL), n % 4, pg_temp.created(n), pg_temp.updated(n)
FROM generate_series(0, 1299) AS n;

INSERT INTO projects
SELECT pg_temp.id('project', n), pg_temp.id('user', n), pg_temp.id('area', n), pg_temp.words(n),
    pg_temp.one(n, NULL, pg_temp.words(n + 1)), NULL, pg_temp.one(n, NULL, pg_temp.moment(n * 9)),
    pg_temp.one(n, 'Not Started', 'In Progress', 'Completed', 'On Hold', NULL),
    pg_temp.one(n, 'low', 'medium', 'high', NULL), pg_temp.one(n, 1, 2, 3, 4, 5, NULL),
    pg_temp.one(n, 0, 33.33, 100, NULL), pg_temp.one(n, FALSE, TRUE, NULL), pg_temp.one(n, 5, NULL),
    pg_temp.created(n), pg_temp.updated(n)
FROM generate_series(0, 1299) AS n;

-- Three tasks a project; the later ones hang below or wait for an earlier one, or for one that is long gone.
INSERT INTO tasks
SELECT pg_temp.id('task', n), pg_temp.id('user', n % 1300), pg_temp.id('project', n % 1300),
    CASE WHEN n >= 1300 AND n % 3 = 0 THEN pg_temp.id('task', n - 1300) END, pg_temp.words(n),
    pg_temp.one(n, NULL, pg_temp.words(n + 1)), state.status, pg_temp.one(n, 'low', 'medium', 'high', NULL),
    pg_temp.one(n, NULL, pg_temp.moment(n * 9)), state.completed, state.completed_at,
    CASE
        WHEN n % 50 = 0 THEN ARRAY[pg_temp.id('gone', n)]
        WHEN n % 50 = 1 THEN NULL
        WHEN n >= 2600 THEN ARRAY[pg_temp.id('task', n - 1300), pg_temp.id('task', n - 2600)]
        ELSE '{}'
    END,
    pg_temp.one(n, 'to_do', 'in_progress', 'review', 'done', NULL), n % 6, pg_temp.one(n, NULL, 0, 25),
    pg_temp.one(n, FALSE, TRUE, NULL), pg_temp.created(n), pg_temp.updated(n)
FROM generate_series(0, 3899) AS n
CROSS JOIN LATERAL (
    VALUES
    (0, 'todo', FALSE, NULL), (1, 'in_progress', FALSE, NULL), (2, 'review', FALSE, NULL), (3, NULL, NULL, NULL),
    (4, 'completed', TRUE, pg_temp.moment(n)), (5, 'todo', NULL, NULL), (6, NULL, FALSE, NULL),
    -- These contradict themselves.
    (7, 'todo', TRUE, NULL), (8, 'completed', FALSE, NULL), (9, 'review', FALSE, pg_temp.moment(n)),
    (10, 'completed', NULL, NULL), (11, NULL, TRUE, pg_temp.moment(n)), (12, 'completed', TRUE, NULL)
) AS state (number, status, completed, completed_at)
WHERE state.number = CASE WHEN n % 97 < 6 THEN 7 + n % 97 ELSE n % 7 END;

INSERT INTO journal_entries
SELECT pg_temp.id('entry', n), pg_temp.id('user', n % 1300), pg_temp.words(n), pg_temp.words(n + 3),
    pg_temp.one(n, 'optimistic', 'inspired', 'reflective', 'challenging', 'anxious', 'grateful', 'excited',
        'frustrated', 'peaceful', 'motivated', NULL),
    pg_temp.one(n, 'very_low', 'low', 'moderate', 'high', 'very_high', NULL),
    CASE n % 3 WHEN 0 THEN ARRAY['home', 'home', ''] WHEN 1 THEN '{}' END, pg_temp.one(n, 0, 250, NULL), n % 4,
    state.deleted, state.deleted_at, pg_temp.created(n), pg_temp.updated(n)
FROM generate_series(0, 2599) AS n
CROSS JOIN LATERAL (
    VALUES
    (0, FALSE, NULL), (1, TRUE, pg_temp.moment(n + 900)), (2, TRUE, NULL), (3, NULL, NULL),
    -- Restored, and its time left behind.
    (4, FALSE, pg_temp.moment(n + 900))
) AS state (number, deleted, deleted_at)
WHERE state.number = n % 5;

INSERT INTO user_stats
SELECT pg_temp.id('stats', n), pg_temp.id('user', n), pg_temp.one(n, 2, NULL), 3, n % 4, 1, pg_temp.one(n, 1, 0, NULL),
    0, pg_temp.updated(n), pg_temp.created(n)
FROM generate_series(0, 1299) AS n;
"""


class SomeTime:
    """Equals every point in time."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str) and re.match(r"\d{4}-\d\d-\d\dT", other) is not None


@pytest.fixture
def db(empty_database: str) -> Iterator[Person]:
    """The owner of an installation at the base stage, with at least a thousand rows in each table."""
    apply(Target(empty_database, ["aurum"]), to=BASE)
    with psycopg.connect(empty_database, autocommit=True) as conn:
        person = Person(conn, "aurum")
        person.run(FILL)
        yield person


def read(db: Person) -> Rows:
    """Return every row of the base tables, by table and id."""
    return {
        (table, row["id"]): row
        for table in TABLES
        for (row,) in db.rows(f"SELECT to_jsonb(t) AS row FROM {table} AS t")
    }


def keep(db: Person) -> Rows:
    """Remember every row of the base tables, here and in the database, where comparing is quick."""
    db.run("CREATE SCHEMA kept")
    for table in TABLES:
        db.run(f"CREATE TABLE kept.{table} AS TABLE {table}")
        assert db.value(f"SELECT count(*) >= 1000 FROM {table}"), table
    return read(db)


def is_done(task: Row) -> bool:
    return bool(task["completed"]) or task["status"] == "completed" or task["completed_at"] is not None


def archived(row: Row) -> Row:
    """Return archived and archived_at as they follow from a base row."""
    if not row.get("archived", row.get("deleted")):
        return {"archived": False, "archived_at": None}
    return {"archived": True, "archived_at": row.get("deleted_at") or row["updated_at"] or SomeTime()}


def meant(table: str, row: Row) -> Row:
    """Return what the chain makes of a base row; what is not named stays as it is."""
    new: Row = {}
    if "archived" in row:
        new |= archived(row)
    elif "deleted" in row:
        new |= archived(row) | {"deleted": bool(row["deleted"]), "deleted_at": archived(row)["archived_at"]}
    if table == "projects":
        new["status"] = STATUSES[row["status"]]
    elif table == "tasks":
        new["completed"] = is_done(row)
        if is_done(row):
            new |= {"status": "completed", "completed_at": row["completed_at"] or SomeTime()}
    return new


def check_facts(db: Person, before: Rows, client: OldClient, seen: dict[str, Any]) -> None:
    """See that no row has come or gone, and that each value is what it was or what it is meant to become.

    `seen` says what each table was when it was last looked at: where no row was written since there is nothing to see.
    """
    for table in TABLES:
        added = f"SELECT to_jsonb(t) AS row FROM {table} AS t WHERE id NOT IN (SELECT id FROM kept.{table})"
        assert {row.get("user_id", row["id"]) for (row,) in db.rows(added)} <= {str(client.user)}, table
        old_columns, columns = (db.value(COLUMNS_SQL, [name]) for name in (f"kept.{table}", table))
        written = "SELECT count(*), bit_xor(hashtextextended(t.ctid || ' ' || t.xmin, 0)) FROM"
        state = (columns, db.row(f"{written} kept.{table} JOIN {table} AS t USING (id)"))
        if seen.get(table) == state:
            continue
        seen[table] = state
        shared = [column for column in old_columns if column in columns]
        rows = db.rows(
            f"SELECT k.id::text, to_jsonb(t) AS row FROM kept.{table} AS k LEFT JOIN {table} AS t USING (id)"
            f" WHERE ({', '.join(f'k.{column}' for column in shared)})"
            f" IS DISTINCT FROM ({', '.join(f't.{column}' for column in shared)}) OR %s",
            [shared != old_columns],
        )
        for id, new in rows:
            old = before[table, id]
            assert new is not None, f"{table} {id} is lost"
            for column, value in old.items():
                if column in ("deleted", "deleted_at") and column not in new:
                    # It has another name now.
                    assert archived(old).items() <= new.items(), (old, new)
                elif column not in COUNTERS or table != "user_stats":
                    assert new[column] in (value, meant(table, old).get(column, value)), (table, column, old, new)


def check_outcome(db: Person, before: Rows) -> None:
    """See that in the end each value has become what it was meant to be."""
    now = read(db)
    for (table, id), old in before.items():
        new = now[table, id]
        for column, value in meant(table, old).items():
            if column in new or column.startswith("archived"):
                assert new[column] == value, (table, column, old, new)
    misplaced = (
        "SELECT count(*) FROM tasks AS t JOIN projects AS p ON p.id = t.project_id JOIN areas AS a ON a.id = p.area_id"
        " WHERE (t.area_id, t.pillar_id, p.pillar_id) IS DISTINCT FROM (a.id, a.pillar_id, a.pillar_id)"
    )
    assert db.value(misplaced) == 0


class OldClient:
    """An application that knows nothing but the base, at work for a user of its own while file after file comes."""

    def __init__(self, db: Person) -> None:
        self.db = db
        self.user: UUID = db.value("INSERT INTO auth.users (email) VALUES ('old@aurum.example') RETURNING id")
        self.area: UUID = insert(db, "areas", user_id=self.user, name="Work")
        self.paused: list[UUID] = []
        self.finished: list[UUID] = []
        self.deleted: list[UUID] = []

    def work(self) -> None:
        """Write as ever; what is written is understood."""
        # As long as not everything is granted, applications are the owner.
        tables = ["areas", "projects", "tasks", "journal_entries"]
        granted = "SELECT bool_and(has_table_privilege('authenticated', t, 'INSERT')) FROM unnest(%s::text[]) AS t"
        if self.db.value(granted, [tables]):
            with self.db.as_user(self.user):
                self._work()
        else:
            self._work()

    def _work(self) -> None:
        db, own = self.db, {"user_id": self.user}
        project = insert(db, "projects", **own, area_id=self.area, name="New", status="Not Started")
        silent = insert(db, "projects", **own, area_id=self.area, name="New")
        assert self._status(project) in ("Not Started", "not_started")
        assert self._status(silent) == self._status(project)
        for old, new in STATUSES.items():
            db.run("UPDATE projects SET status = %s WHERE id = %s", [old, project])
            assert self._status(project) in (old, new)
        for status in ("Done", "on hold", ""):
            with db.refused(sqlstate="23514"):
                db.run("UPDATE projects SET status = %s WHERE id = %s", [status, project])
        db.run("UPDATE projects SET status = 'On Hold' WHERE id = %s", [project])
        self.paused.append(project)

        task = insert(db, "tasks", **own, project_id=silent, name="New", priority="high", kanban_column="review")
        db.run("UPDATE tasks SET completed = TRUE, completed_at = now(), status = 'completed' WHERE id = %s", [task])
        assert db.value("SELECT completed AND status = 'completed' FROM tasks WHERE id = %s", [task])
        db.run("UPDATE tasks SET archived = TRUE WHERE id = %s", [task])
        assert db.value("SELECT archived AND completed FROM tasks WHERE id = %s", [task])
        self.finished.append(task)

        entry = insert(db, "journal_entries", **own, title="New", content="Well")
        gone = "UPDATE journal_entries SET deleted = TRUE, deleted_at = now() WHERE id = %s"
        if "deleted" in db.value(COLUMNS_SQL, ["journal_entries"]):
            db.run(gone, [entry])
            assert db.value("SELECT deleted FROM journal_entries WHERE id = %s", [entry])
            inserted = insert(db, "journal_entries", **own, title="New", content="Well", deleted=True)
            self.deleted += [entry, inserted]
        else:
            with db.refused(sqlstate="42703"):
                db.run(gone, [entry])

    def _status(self, project: UUID) -> str | None:
        return self.db.value("SELECT status FROM projects WHERE id = %s", [project])

    def check_outcome(self) -> None:
        """See that in the end all that it ever wrote says what it meant."""
        db = self.db
        for table, ids, said in (
            ("projects", self.paused, "status = 'on_hold'"),
            ("tasks", self.finished, "completed AND status = 'completed' AND archived AND archived_at IS NOT NULL"),
            ("journal_entries", self.deleted, "archived AND archived_at IS NOT NULL"),
        ):
            assert len(ids) > 1
            assert db.value(f"SELECT count(*) FROM {table} WHERE id = ANY(%s) AND {said}", [ids]) == len(ids), table


@pytest.mark.rule("AUR-01", "accepts")
@pytest.mark.rule("AUR-25", "accepts")
@pytest.mark.rule("AUR-25", "refuses")
def test_no_file_loses_or_changes_a_fact_or_misunderstands_an_old_client(db: Person, empty_database: str) -> None:
    before = keep(db)
    client = OldClient(db)
    client.work()
    notes = Notes()
    seen: dict[str, Any] = {}
    for id in LATER:
        apply(Target(empty_database, ["aurum"]), sql_root=TREE, to=id, progress=notes)
        check_facts(db, before, client, seen)
        client.work()
    check_outcome(db, before)
    client.check_outcome()
    # The one thing that there is no place for any more.
    restored = [row for row in before.values() if row.get("deleted_at") and not row["deleted"]]
    assert (
        f"server: journal_entries: {len(restored)} not deleted, but with a deleted_at, which is dropped" in notes.notes
    )


def test_the_upgrade_can_be_rehearsed_on_what_is_there(db: Person, empty_database: str) -> None:
    before, catalog = read(db), describe(db.conn, "aurum")
    assert [one.id for one in rehearse(Target(empty_database, ["aurum"]))] == LATER
    assert read(db) == before
    assert differences(catalog, describe(db.conn, "aurum")) == []


@pytest.mark.rule("AUR-05", "refuses")
def test_a_percentage_beyond_its_range_stops_the_upgrade_before_the_row_is_refused(
    db: Person, empty_database: str
) -> None:
    db.run("UPDATE projects SET completion_percentage = 120 WHERE name = 'Grow' AND status = 'On Hold'")
    rows = db.value("SELECT count(*) FROM projects WHERE completion_percentage = 120")
    with pytest.raises(SqlError, match=f"projects: {rows} with a completion_percentage"):
        apply(Target(empty_database, ["aurum"]))
    assert db.run("UPDATE projects SET priority = 'low' WHERE completion_percentage = 120") == rows > 0
    db.run("UPDATE projects SET completion_percentage = 100 WHERE completion_percentage = 120")
    assert [one.id for one in apply(Target(empty_database, ["aurum"]))][-1] == LATER[-1]


def undo(url: str) -> list[str]:
    """Roll back to the base, file by file, and return what the runner noted."""
    notes = Notes()
    for _ in LATER:
        rollback(Target(url, ["aurum"]), discard_data=True, progress=notes)
    return notes.notes


def test_all_of_it_can_be_undone_and_done_again(db: Person, empty_database: str) -> None:
    before = read(db)
    apply(Target(empty_database, ["aurum"]))
    first = read(db)
    assert undo(empty_database) == []
    for (table, id), row in read(db).items():
        old = before[table, id]
        expected = old | {column: value for column, value in meant(table, old).items() if column in old}
        if table == "projects":
            expected["status"] = old["status"]
        elif table == "user_stats":
            expected |= {column: row[column] for column in COUNTERS}
        assert row == expected, table
    apply(Target(empty_database, ["aurum"]))
    for key, row in read(db).items():
        assert settled(row) == settled(first[key]), key


def settled(row: Row) -> Row:
    """Return a row with what was written by this test marked as such: it has another time each time."""
    now = re.compile(r"20(2[5-9]|[3-9]\d)-\d\d-\d\dT")
    return {column: "now" if isinstance(value, str) and now.match(value) else value for column, value in row.items()}


def test_what_a_rollback_cannot_restore_it_says(db: Person, empty_database: str) -> None:
    apply(Target(empty_database, ["aurum"]))
    before = read(db)
    tasks = db.rows("SELECT id FROM tasks WHERE NOT archived ORDER BY id LIMIT 5")
    projects = db.rows("SELECT id FROM projects ORDER BY id LIMIT 2")
    cancelled, urgent = [id for (id,) in tasks[:3]], [id for (id,) in tasks[2:]]
    db.run("UPDATE tasks SET status = 'cancelled' WHERE id = ANY(%s)", [cancelled])
    db.run("UPDATE tasks SET priority = 'urgent' WHERE id = ANY(%s)", [urgent])
    db.run("UPDATE projects SET status = 'cancelled' WHERE id = ANY(%s)", [[id for (id,) in projects]])
    assert sorted(undo(empty_database)) == [
        "server: projects: 2 cancelled, on hold from now on",
        "server: tasks: 3 cancelled, to do and archived from now on",
        "server: tasks: 3 urgent, of high priority from now on",
    ]
    now = read(db)
    for id in cancelled:
        task = now["tasks", str(id)]
        assert (task["status"], task["completed"], task["completed_at"]) == ("todo", False, None) and task["archived"]
    assert {now["tasks", str(id)]["priority"] for id in urgent} == {"high"}
    assert {now["projects", str(id)]["status"] for (id,) in projects} == {"On Hold"}
    assert now.keys() == before.keys()


@pytest.mark.rule("AUR-01", "refuses")
def test_nothing_that_came_later_is_discarded_unasked(db: Person, empty_database: str) -> None:
    apply(Target(empty_database, ["aurum"]))
    user = db.value("SELECT id FROM auth.users WHERE email = '1@aurum.example'")
    insert(db, "daily_reflections", user_id=user, reflection_text="Well")
    before = read(db)
    with pytest.raises(DataLossError) as refused:
        rollback(Target(empty_database, ["aurum"]), to=BASE)
    losses = [str(loss) for loss in refused.value.losses]
    assert "aurum.daily_reflections: 1 row" in losses
    assert any(loss.startswith("aurum.tasks.archived_at: ") for loss in losses), losses
    assert read(db) == before
