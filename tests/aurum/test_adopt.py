"""An installation from before Companion is adopted as it is, or refused with all that differs."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from runner.errors import DriftError
from runner.files.tree import open_tree
from runner.history import ledger
from runner.history.instances import Target
from runner.migrate.adopt import adopt
from runner.migrate.apply import apply
from tests.people import Person, insert
from tests.runner.command import run

BASE = "0007_user_stats"
CHAIN = open_tree().chain("aurum")

# What nobody needs to know of: it is left alone.
OTHERS = """
CREATE TABLE invoices (id bigint PRIMARY KEY, user_id uuid REFERENCES auth.users (id));
INSERT INTO invoices VALUES (1);
ALTER TABLE tasks ADD COLUMN colour text NOT NULL DEFAULT 'red', ADD CONSTRAINT tasks_colour CHECK (colour <> '');
CREATE INDEX tasks_by_due_date ON tasks (due_date);
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN new; END $$;
CREATE TRIGGER touch BEFORE UPDATE ON tasks FOR EACH ROW EXECUTE FUNCTION touch();
CREATE POLICY "Users see their tasks" ON tasks TO authenticated USING (user_id = auth.uid());
GRANT ALL ON ALL TABLES IN SCHEMA public TO anon, authenticated, service_role;
REVOKE INSERT ON user_stats FROM CURRENT_USER;
COMMENT ON TABLE tasks IS 'To do';
COMMENT ON COLUMN tasks.name IS 'What';
COMMENT ON CONSTRAINT tasks_pkey ON tasks IS 'Key';
COMMENT ON INDEX areas_pkey IS 'Key';
"""


@pytest.fixture
def legacy(empty_database: str) -> Iterator[Person]:
    """The owner of an installation that somebody made in schema public, without Companion."""
    # Supabase has roles and auth; here they come from platform, of which nothing else is left.
    apply(Target(empty_database, ["platform"]))
    with psycopg.connect(empty_database, autocommit=True) as conn:
        conn.execute("DROP SCHEMA platform CASCADE")
        person = Person(conn, "public")
        for file in CHAIN.upto(BASE).files:
            person.run("\n".join(line for line in file.text.splitlines() if not line.startswith("REVOKE")))
        person.run(OTHERS)
        yield person


def applied(db: Person) -> list[str]:
    """Return what is recorded in schema public."""
    found = ledger.read(db.value).get("public")
    return [entry.id for entry in found.entries] if found else []


def fill(db: Person) -> tuple[str, ...]:
    """Insert a row into each table on the way to a task, and return what the task says."""
    user = db.value("INSERT INTO auth.users (email) VALUES ('ann@aurum.example') RETURNING id")
    db.run("INSERT INTO user_profiles (id, username) VALUES (%s, 'ann')", [user])
    insert(db, "user_stats", user_id=user)
    area = insert(db, "areas", user_id=user, pillar_id=insert(db, "pillars", user_id=user, name="Health"), name="Sport")
    project = insert(db, "projects", user_id=user, area_id=area, name="Marathon", status="In Progress")
    insert(db, "tasks", user_id=user, project_id=project, name="Run", colour="blue")
    insert(db, "journal_entries", user_id=user, title="Well", content="Ran", deleted=True)
    return said(db)


def said(db: Person) -> tuple[str, ...]:
    return db.row(
        "SELECT u.username, a.name AS area, p.name AS project, p.status, t.name AS task, t.colour, j.title"
        " FROM user_profiles AS u"
        " JOIN areas AS a ON a.user_id = u.id JOIN projects AS p ON p.area_id = a.id"
        " JOIN tasks AS t ON t.project_id = p.id JOIN journal_entries AS j ON j.user_id = u.id"
    )


@pytest.mark.rule("AUR-01", "accepts")
def test_an_installation_is_adopted_with_all_that_is_its_own(legacy: Person, empty_database: str) -> None:
    before = fill(legacy)
    adopt(Target(empty_database, ["aurum"], "public"), to=BASE)
    assert applied(legacy) == [file.id for file in CHAIN.upto(BASE).files]
    apply(Target(empty_database, ["aurum"], "public"))
    assert applied(legacy) == [file.id for file in CHAIN.files]
    assert said(legacy) == tuple("in_progress" if value == "In Progress" else value for value in before)
    assert legacy.value("SELECT count(*) FROM invoices") == 1
    assert legacy.value("SELECT archived FROM journal_entries")
    assert legacy.value("SELECT col_description('tasks'::regclass, 5)") == "What"


def test_the_command_adopts_it_by_the_number_of_the_last_file(
    legacy: Person, empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", empty_database)
    before = fill(legacy)
    root = open_tree().root
    code, out, err = run("apply", "aurum", "--schema", "public", "--adopt", "0007", tree=root)
    assert (code, applied(legacy)[-1:]) == (0, [BASE]), out + err
    assert said(legacy) == before
    assert run("apply", "aurum", "--schema", "public", tree=root)[0] == 0
    assert applied(legacy) == [file.id for file in CHAIN.files]


# What is done to the installation, and what is found missing for it.
DIFFERENCES = {
    "ALTER TABLE tasks DROP COLUMN due_date": "table tasks: column due_date: missing",
    "ALTER TABLE tasks ALTER sort_order TYPE bigint": "table tasks: column sort_order: type is bigint",
    "ALTER TABLE projects ALTER status SET DEFAULT 'x'": "table projects: column status: default is 'x'",
    "ALTER TABLE projects ALTER name DROP NOT NULL": "table projects: column name: null is yes, the files make it no",
    "ALTER TABLE areas ALTER icon SET NOT NULL": "table areas: column icon: null is no, the files make it yes",
    "ALTER TABLE tasks DROP CONSTRAINT tasks_status_check": "table tasks: constraint tasks_status_check: missing",
    "ALTER TABLE areas DROP CONSTRAINT areas_importance_check,"
    " ADD CONSTRAINT areas_importance_check CHECK (importance BETWEEN 1 AND 10)": (
        "table areas: constraint areas_importance_check: definition is CHECK"
    ),
    "ALTER TABLE areas DROP CONSTRAINT areas_pillar_id_fkey, ADD CONSTRAINT areas_pillar_id_fkey"
    " FOREIGN KEY (pillar_id) REFERENCES pillars (id) ON DELETE CASCADE": (
        "table areas: constraint areas_pillar_id_fkey: definition is FOREIGN KEY"
    ),
    "DROP TABLE user_stats": "table user_stats: missing",
    "ALTER TABLE pillars DISABLE ROW LEVEL SECURITY": "table pillars: row_security is no, the files make it yes",
}


@pytest.mark.rule("AUR-01", "refuses")
def test_all_that_differs_is_listed_and_nothing_recorded(legacy: Person, empty_database: str) -> None:
    for change in DIFFERENCES:
        legacy.run(change)
    with pytest.raises(DriftError) as refused:
        adopt(Target(empty_database, ["aurum"], "public"), to=BASE)
    found = refused.value.detail
    for change, missing in DIFFERENCES.items():
        assert [line for line in found if line.startswith(missing)] != [], change
    assert len(found) == len(DIFFERENCES), found
    assert applied(legacy) == []
    assert legacy.value("SELECT to_regclass('public._companion_ledger') IS NULL")
