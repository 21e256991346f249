"""Aurum: an installation from before Companion is adopted and upgraded while its clients go on."""

from __future__ import annotations

import hashlib
import multiprocessing
import random
import signal
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier, Event
from uuid import UUID

import psycopg

from bench.measure import Row, number, percentile, seconds
from bench.place import Place
from runner.files.tree import open_tree
from runner.history.instances import Target
from runner.migrate.adopt import adopt
from runner.migrate.apply import apply
from runner.postgres.pace import Pace
from runner.progress import Progress

TITLE = "Aurum: upgrade of a living installation"
NOTES = """\
- Data: the base tables in schema `public`, made by plain DDL, with one policy each and three indexes that the clients'
  own statements need (tasks by project and by parent, projects by user). A user has 3 pillars, 5 areas, 10 projects,
  100 tasks and 5 journal entries. Adopted up to 0007, then upgraded with `--lock-timeout 0.1`.
- Clients: 8 processes without a pause between statements, each one connection as `authenticated` in autocommit; they
  read, insert, change, move, archive and delete, and name columns of the base only. The control is what they do in the
  seconds before the upgrade.
- A statement's time is what its client waits, and it belongs to the upgrade if it was under way at any moment of it. It
  failed if the server refused it or it touched no row. Those that write the journal's column `deleted`, which phase 3
  drops, are the exception, and counted apart.
- In the end the rows of five tables must be those from before and those that clients inserted, less those deleted."""

BASE_END = "0007_user_stats"
CLIENTS = 8
LOCK_TIMEOUT = 0.1
LONGEST = 0.25


@dataclass(frozen=True)
class Sizes:
    """How many users there are, how many of them each client is in turn, and how long the control is."""

    users: int
    users_per_client: int
    control: float
    after: float


FULL = Sizes(users=10_000, users_per_client=50, control=10, after=5)
QUICK = Sizes(users=100, users_per_client=10, control=2, after=1)

LEGACY_SQL = """
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO authenticated;
CREATE POLICY own ON user_profiles FOR ALL TO authenticated USING (id = auth.uid());
CREATE POLICY own ON pillars FOR ALL TO authenticated USING (user_id = auth.uid());
CREATE POLICY own ON areas FOR ALL TO authenticated USING (user_id = auth.uid());
CREATE POLICY own ON projects FOR ALL TO authenticated USING (user_id = auth.uid());
CREATE POLICY own ON tasks FOR ALL TO authenticated USING (user_id = auth.uid());
CREATE POLICY own ON journal_entries FOR ALL TO authenticated USING (user_id = auth.uid());
CREATE POLICY own ON user_stats FOR ALL TO authenticated USING (user_id = auth.uid())
"""
# Without these the clients alone would keep each other waiting for longer than any upgrade.
LEGACY_INDEXES_SQL = """
CREATE INDEX legacy_tasks_project ON tasks (project_id);
CREATE INDEX legacy_tasks_parent ON tasks (parent_task_id);
CREATE INDEX legacy_projects_user ON projects (user_id)
"""
# Loaded as a dump is, without foreign keys. Ids are hashes of numbers: of user 1 are tasks 1 to 100, and so on.
FILL_SQL = """
SET session_replication_role = replica;
INSERT INTO auth.users (id, email)
SELECT md5('user' || u)::uuid, 'user' || u || '@bench.example' FROM generate_series(1, %(users)s) AS u;
INSERT INTO user_profiles (id, username)
SELECT md5('user' || u)::uuid, 'user' || u FROM generate_series(1, %(users)s) AS u;
INSERT INTO user_stats (user_id, total_tasks, total_projects)
SELECT md5('user' || u)::uuid, 100, 10 FROM generate_series(1, %(users)s) AS u;
INSERT INTO pillars (id, user_id, name, archived)
SELECT md5('pillar' || n)::uuid, md5('user' || (n + 2) / 3)::uuid, 'Health', n %% 10 = 0
FROM generate_series(1, %(users)s * 3) AS n;
INSERT INTO areas (id, user_id, pillar_id, name, archived)
SELECT
    md5('area' || n)::uuid, md5('user' || (n + 4) / 5)::uuid,
    CASE WHEN n %% 5 > 0 THEN md5('pillar' || (n + 4) / 5 * 3 - n %% 3)::uuid END, 'Running', n %% 20 = 0
FROM generate_series(1, %(users)s * 5) AS n;
INSERT INTO projects (id, user_id, area_id, name, status, archived)
SELECT
    md5('project' || n)::uuid, md5('user' || (n + 9) / 10)::uuid, md5('area' || (n + 9) / 10 * 5 - n %% 5)::uuid,
    'A marathon', (ARRAY['Not Started', 'In Progress', 'Completed', 'On Hold'])[1 + n %% 4], n %% 10 = 0
FROM generate_series(1, %(users)s * 10) AS n;
INSERT INTO tasks (
    id, user_id, project_id, parent_task_id, name, description, status, completed, completed_at, archived,
    dependency_task_ids
)
SELECT
    md5('task' || n)::uuid, md5('user' || (n + 99) / 100)::uuid, md5('project' || (n + 9) / 10)::uuid,
    CASE WHEN n %% 10 = 5 THEN md5('task' || n - 1)::uuid END,
    'Run ten kilometres', 'What is to be done is said in about a sentence.',
    CASE WHEN n %% 3 = 0 THEN 'completed' ELSE 'todo' END, n %% 3 = 0, CASE WHEN n %% 3 = 0 THEN now() END,
    n %% 7 = 0, CASE WHEN n %% 20 = 8 THEN ARRAY[md5('task' || n - 1)::uuid] ELSE '{}' END
FROM generate_series(1, %(users)s * 100) AS n;
INSERT INTO journal_entries (id, user_id, title, content, deleted, deleted_at)
SELECT
    md5('entry' || n)::uuid, md5('user' || (n + 4) / 5)::uuid, 'Today', repeat('What I did today. ', 20),
    n %% 5 = 0, CASE WHEN n %% 5 = 0 THEN now() END
FROM generate_series(1, %(users)s * 5) AS n;
SET session_replication_role = origin
"""
# How many a user has of each; of user 1 are tasks 1 to 100, and so on.
OWNED = (("user", 1), ("pillar", 3), ("area", 5), ("project", 10), ("task", 100), ("entry", 5))

# What old clients send, one round after the other; reads come first.
READS = {
    "read tasks": "SELECT id, name, status, completed, due_date FROM tasks WHERE project_id = %(project)s",
    "read projects": "SELECT id, area_id, name, status, archived FROM projects WHERE user_id = %(user)s",
    "read journal": "SELECT id, title, content, mood FROM journal_entries WHERE id = %(entry)s",
}
WRITES = {
    "rename task": "UPDATE tasks SET name = 'Swim', updated_at = now() WHERE id = %(task)s",
    "start task": "UPDATE tasks SET status = 'in_progress', completed = false, completed_at = NULL WHERE id = %(task)s",
    "complete task": "UPDATE tasks SET completed = true, completed_at = now(), status = 'completed'"
    " WHERE id = %(task)s",
    "archive task": "UPDATE tasks SET archived = true WHERE id = %(task)s",
    "restore task": "UPDATE tasks SET archived = false WHERE id = %(task)s",
    "move task": "UPDATE tasks SET project_id = %(project)s WHERE id = %(task)s",
    "insert task": "INSERT INTO tasks (user_id, project_id, name) VALUES (%(user)s, %(project)s, 'Sleep') RETURNING id",
    "delete task": "DELETE FROM tasks WHERE id = %(made)s",
    "insert project": "INSERT INTO projects (user_id, area_id, name, status)"
    " VALUES (%(user)s, %(area)s, 'A garden', 'Not Started')",
    "start project": "UPDATE projects SET status = 'In Progress' WHERE id = %(project)s",
    "move project": "UPDATE projects SET area_id = %(area)s WHERE id = %(project)s",
    "insert area": "INSERT INTO areas (user_id, pillar_id, name) VALUES (%(user)s, %(pillar)s, 'Sailing') RETURNING id",
    "rename area": "UPDATE areas SET name = 'Cycling' WHERE id = %(area)s",
    "delete area": "DELETE FROM areas WHERE id = %(made)s",
    "insert pillar": "INSERT INTO pillars (user_id, name) VALUES (%(user)s, 'Friends') RETURNING id",
    "rename pillar": "UPDATE pillars SET name = 'Strength' WHERE id = %(pillar)s",
    "delete pillar": "DELETE FROM pillars WHERE id = %(made)s",
    "insert entry": "INSERT INTO journal_entries (user_id, title, content) VALUES (%(user)s, 'Now', 'This and that.')",
    "edit entry": "UPDATE journal_entries SET content = 'Something else.', mood = 'grateful' WHERE id = %(entry)s",
    "edit profile": "UPDATE user_profiles SET first_name = 'Ada', total_points = total_points + 1 WHERE id = %(user)s",
    "edit statistics": "UPDATE user_stats SET tasks_completed = tasks_completed + 1 WHERE user_id = %(user)s",
}
DROPPED = "mark entry deleted"
STATEMENTS = {
    **READS,
    **WRITES,
    DROPPED: "UPDATE journal_entries SET deleted = true, deleted_at = now() WHERE id = %(entry)s",
}
# One of two rows that are inserted and could be deleted stays.
COUNTED = {
    "pillars": ("insert pillar", "delete pillar"),
    "areas": ("insert area", "delete area"),
    "projects": ("insert project", None),
    "tasks": ("insert task", "delete task"),
    "journal_entries": ("insert entry", None),
}


@dataclass(frozen=True)
class Sample:
    """A statement of a client: when it was sent (time.monotonic), how long it took, and what went wrong, if so."""

    name: str
    start: float
    took: float
    error: str = ""

    def during(self, begin: float, end: float) -> bool:
        """Return whether the statement was under way at a moment between the two."""
        return self.start < end and begin < self.start + self.took


@dataclass
class Timeline(Progress):
    """When each file ran, and how often one was tried again."""

    files: list[tuple[str, float, float]] = field(default_factory=list)
    retries: int = 0
    began: float = 0.0

    def start(self, instance: str, id: str) -> None:
        """Take down when a file begins."""
        self.began = time.monotonic()

    def done(self, instance: str, id: str, milliseconds: int, what: str) -> None:
        """Take down when it is finished."""
        self.files.append((id, self.began, time.monotonic()))

    def note(self, text: str) -> None:
        """Count the retries among what the runner notes."""
        self.retries += "trying again" in text

    def running(self, sample: Sample) -> str:
        """Return the file during which most of a statement's time passed."""
        shares = [
            (min(end, sample.start + sample.took) - max(begin, sample.start), id) for id, begin, end in self.files
        ]
        return max(shares)[1]


@dataclass(frozen=True)
class Outcome:
    """What happened: all statements of the clients, the files, begin and end of the upgrade, and rows lost."""

    samples: list[Sample]
    timeline: Timeline
    begin: float
    end: float
    lost: int


def measure(place: Place, quick: bool) -> Iterator[Row]:
    """Yield the rows."""
    sizes = QUICK if quick else FULL
    with place.database("aurum_upgrade") as url:
        make_legacy(url, sizes)
        adopt(Target(url, ["aurum"], "public"), to=BASE_END)
        yield from rows(upgrade(url, sizes), sizes)


def make_legacy(url: str, sizes: Sizes) -> None:
    """Build and fill an installation as it was before Companion."""
    apply(Target(url, ["platform"]))
    base = open_tree(None).chain("aurum").upto(BASE_END).files
    with psycopg.connect(url, autocommit=True) as conn, psycopg.ClientCursor(conn) as cursor:
        for file in base:
            lines = [line for line in file.text.splitlines() if not line.startswith("REVOKE")]
            cursor.execute("\n".join(lines).encode())
        cursor.execute(LEGACY_SQL)
        cursor.execute("SET synchronous_commit = off")
        cursor.execute(FILL_SQL.encode(), {"users": sizes.users})
        cursor.execute("SET maintenance_work_mem = '1GB'; SET max_parallel_maintenance_workers = 0")
        cursor.execute(LEGACY_INDEXES_SQL)
        cursor.execute("VACUUM (ANALYZE)")
        cursor.execute("CHECKPOINT")


def upgrade(url: str, sizes: Sizes) -> Outcome:
    """Apply what is pending while clients go on; they begin before and end after it."""
    before = _counts(url)
    timeline = Timeline()
    samples: list[Sample] = []
    with _clients(url, sizes, samples):
        time.sleep(sizes.control)
        begin = time.monotonic()
        apply(Target(url, ["aurum"], "public"), progress=timeline, pace=Pace(lock_timeout=LOCK_TIMEOUT))
        end = time.monotonic()
        time.sleep(sizes.after)
    after = _counts(url)
    done = [sample.name for sample in samples if not sample.error]
    lost = sum(
        abs(before[table] + done.count(insert) - (done.count(delete) if delete else 0) - after[table])
        for table, (insert, delete) in COUNTED.items()
    )
    return Outcome(samples, timeline, begin, end, lost)


def rows(found: Outcome, sizes: Sizes) -> Iterator[Row]:
    """Yield the rows about an upgrade."""
    before = [sample for sample in found.samples if sample.start + sample.took <= found.begin]
    during = [sample for sample in found.samples if sample.during(found.begin, found.end)]
    after = [sample for sample in found.samples if sample.start >= found.end]
    tasks, files = sizes.users * 100, len(found.timeline.files)
    yield Row(f"upgrade of {tasks:,} tasks by {files} files, under {CLIENTS} clients", seconds(found.end - found.begin))
    yield Row("of them tried again, because clients held locks", f"{found.timeline.retries:,}")
    yield Row("statements of the clients during it : control", f"{len(during):,}", f"{len(before):,}")
    worst, usual = (max(part, key=lambda sample: sample.took) for part in (during, before))
    yield Row(
        f"longest statement ({worst.name}, {found.timeline.running(worst)}) : control ({usual.name})",
        seconds(worst.took),
        seconds(usual.took),
        number(worst.took / usual.took),
        f"< {seconds(LONGEST)}",
        worst.took < LONGEST,
    )
    failed, usually = _failed([*during, *after]), _failed(before)
    yield Row("failed statements, during and after : control", f"{failed:,}", f"{usually:,}", aim="0", met=not failed)
    marked = [sample for sample in found.samples if sample.name == DROPPED]
    refused = sum(bool(sample.error) for sample in marked)
    yield Row("failed statements on the dropped column : all on it", f"{refused:,}", f"{len(marked):,}")
    for what, names in (("read", READS), ("write", WRITES)):
        for label, share in (("p50", 0.5), ("p99", 0.99), ("longest", 1.0)):
            mine, others = (percentile([s.took for s in part if s.name in names], share) for part in (during, before))
            yield Row(f"{what}, {label} : control", seconds(mine), seconds(others), number(mine / others))
    yield Row("rows missing or too many in the end", f"{found.lost:,}", aim="0", met=not found.lost)


def _failed(samples: Iterable[Sample]) -> int:
    """Return how many failed, but for those that the dropped column makes fail."""
    return sum(bool(s.error) and not (s.name == DROPPED and s.error.startswith("42703")) for s in samples)


def _counts(url: str) -> dict[str, int]:
    with psycopg.connect(url) as conn:
        found = {}
        for table in COUNTED:
            row = conn.execute(f"SELECT count(*) FROM public.{table}".encode()).fetchone()
            assert row
            found[table] = int(row[0])
        return found


@contextmanager
def _clients(url: str, sizes: Sizes, samples: list[Sample]) -> Iterator[None]:
    """Let the clients run while the block does; what they did is in `samples` afterwards."""
    context = multiprocessing.get_context("spawn")
    over, ready = context.Event(), context.Barrier(CLIENTS + 1)
    processes, pipes = [], []
    for client in range(CLIENTS):
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(target=_client, args=(url, sizes, client, ready, over, theirs), daemon=True)
        process.start()
        theirs.close()
        processes.append(process)
        pipes.append(ours)
    try:
        ready.wait(60)
        yield
    finally:
        over.set()
        for pipe, process in zip(pipes, processes, strict=True):
            samples += [Sample(*values) for values in pipe.recv()]
            process.join()


def _client(url: str, sizes: Sizes, client: int, ready: Barrier, over: Event, result: Connection) -> None:
    """Be a client until `over`, and send what it did."""
    # Ctrl-C reaches every process of the terminal; what it means is the parent's business.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    assert parent
    chance = random.Random(client)
    users = range(1 + client * sizes.users_per_client, 1 + (client + 1) * sizes.users_per_client)
    samples: list[tuple[str, float, float, str]] = []
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("SET ROLE authenticated")
        ready.wait(60)
        # Also when whoever measures was killed.
        while not over.is_set() and parent.is_alive():
            user = chance.choice(users)
            token = f'{{"sub": "{_id("user", user)}"}}'
            conn.execute("SELECT set_config('request.jwt.claims', %s, false)", [token])
            ids: dict[str, UUID | None] = {"made": None}
            for name, statement in STATEMENTS.items():
                if name.startswith("delete ") and (not ids["made"] or chance.random() < 0.5):
                    continue
                ids |= {kind: _id(kind, chance.randint(each * (user - 1) + 1, each * user)) for kind, each in OWNED}
                if statement.endswith("RETURNING id"):
                    ids["made"] = None
                error = ""
                start = time.monotonic()
                try:
                    cursor = conn.execute(statement.encode(), ids)
                except psycopg.Error as refused:
                    if not refused.sqlstate:
                        raise
                    error = f"{refused.sqlstate} {refused.diag.message_primary}"
                else:
                    if not cursor.rowcount:
                        error = "no row"
                    elif statement.endswith("RETURNING id"):
                        ids["made"] = cursor.fetchall()[0][0]
                samples.append((name, start, time.monotonic() - start, error))
    result.send(samples)


def _id(kind: str, number: int) -> UUID:
    """Return the id that FILL_SQL gives to the row of this number."""
    return UUID(hashlib.md5(f"{kind}{number}".encode()).hexdigest())
