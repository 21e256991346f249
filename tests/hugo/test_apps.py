"""Apps: their form, what they know, and who may change them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from tests.hugo.world import World
from tests.people import Person, blocked, insert

CHECK_NOW = "SET CONSTRAINTS ALL IMMEDIATE"


def add_app(db: Person, app_id: str = "app", knowledge: Any = ("coach_kb",), **columns: Any) -> UUID:
    columns = {"display_name": "App", "domain": "general", **columns}
    knowledge = list(knowledge) if isinstance(knowledge, tuple) else knowledge
    return insert(db, "apps", app_id=app_id, knowledge_base_ids=knowledge, **columns)


def add_knowledge(db: Person, kb_id: str = "kb", *app_ids: str) -> UUID:
    return insert(db, "knowledge_bases", kb_id=kb_id, title="Title", app_ids=list(app_ids or ["app"]))


@pytest.mark.rule("HUGO-06", "accepts")
@pytest.mark.parametrize("name", ["a", "z9", "a_", "hugo_matchmaker", "a1b2_c3__", "a" * 300])
def test_identifiers_are_lower_case_letters_digits_and_underscores(db: Person, name: str) -> None:
    with db.as_service():
        add_app(db, name, (name,))
        add_knowledge(db, name, name)
        db.run(CHECK_NOW)
    assert db.value("SELECT app_id FROM apps WHERE knowledge_base_ids = ARRAY[%s]", [name]) == name


@pytest.mark.rule("HUGO-06", "refuses")
@pytest.mark.parametrize("name", ["", "A", "1a", "_a", "a-b", "a b", "aB", "ä", "aä", "a.b", " a", "a\n", "a\nb"])
def test_other_identifiers_are_refused(db: Person, world: World, name: str) -> None:
    with db.as_service():
        with db.refused("apps_app_id_check", "23514"):
            add_app(db, name)
        with db.refused("kb_kb_id_check", "23514"):
            add_knowledge(db, name)
        with db.refused("apps_app_id_check"):
            db.run("UPDATE apps SET app_id = %s", [name])
        with db.refused("kb_kb_id_check"):
            db.run("UPDATE knowledge_bases SET kb_id = %s", [name])


@pytest.mark.rule("HUGO-06", "refuses")
def test_identifiers_are_unique(db: Person, world: World) -> None:
    with db.as_service():
        with db.refused("apps_app_id_idx", "23505"):
            add_app(db, "coach")
        with db.refused("kb_kb_id_idx", "23505"):
            add_knowledge(db, "coach_kb")


@pytest.mark.rule("HUGO-07", "accepts")
@pytest.mark.parametrize("domain", ["dating", "career", "health", "finance", "relationships", "general"])
def test_a_domain_is_one_of_six(db: Person, world: World, domain: str) -> None:
    with db.as_service():
        app = add_app(db, domain=domain)
    assert db.value("SELECT domain FROM apps WHERE id = %s", [app]) == domain


@pytest.mark.rule("HUGO-07", "refuses")
@pytest.mark.parametrize("domain", ["", "Dating", "sport", "dating,career"])
def test_any_other_domain_is_refused(db: Person, world: World, domain: str) -> None:
    with db.as_service():
        with db.refused("apps_domain_check", "23514"):
            add_app(db, domain=domain)
        with db.refused("apps_domain_check"):
            db.run("UPDATE apps SET domain = %s", [domain])


@pytest.mark.rule("HUGO-08", "accepts")
@pytest.mark.parametrize("order", [(add_app, add_knowledge), (add_knowledge, add_app)])
def test_an_app_and_its_knowledge_come_in_either_order(db: Person, order: tuple[Callable[..., UUID], ...]) -> None:
    with db.as_service():
        for create in order:
            create(db, *(("app", ("kb",)) if create is add_app else ("kb", "app")))
    check_as_a_visitor(db)
    assert dangling(db) == []


def check_as_a_visitor(db: Person) -> None:
    """Let the deferred checks run while the session acts as somebody who sees nothing, and finds nothing by name."""
    with db.as_anon():
        db.run("SET LOCAL search_path = pg_catalog")
        db.run(CHECK_NOW)
        db.run(f'SET LOCAL search_path = "{db.schema}", platform, pg_temp')


@pytest.mark.rule("HUGO-08", "refuses")
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE knowledge_bases SET app_ids = '{other}'",
        "UPDATE knowledge_bases SET kb_id = 'renamed'",
        "UPDATE apps SET knowledge_base_ids = '{unknown}'",
    ],
)
def test_the_check_does_not_depend_on_who_the_session_acts_as_by_then(db: Person, world: World, statement: str) -> None:
    db.run(CHECK_NOW)
    db.run("SET CONSTRAINTS ALL DEFERRED")
    with db.refused("apps_knowledge_base_ids_fkey"):
        with db.as_service():
            db.run(statement)
        check_as_a_visitor(db)


@pytest.mark.rule("HUGO-08", "refuses")
@pytest.mark.parametrize(
    ("knowledge", "constraint"),
    [
        ([], "apps_knowledge_base_ids_check"),
        (["coach_kb", "coach_kb"], "apps_knowledge_base_ids_check"),
        (["coach_kb", None], "apps_knowledge_base_ids_check"),
        ([None], "apps_knowledge_base_ids_check"),
        (["unknown"], "apps_knowledge_base_ids_fkey"),
        (["coach_kb", "unknown"], "apps_knowledge_base_ids_fkey"),
        (["other_kb"], "apps_knowledge_base_ids_fkey"),
        (["coach_kb", "other_kb"], "apps_knowledge_base_ids_fkey"),
        (["COACH_KB"], "apps_knowledge_base_ids_fkey"),
    ],
)
def test_an_app_has_knowledge_that_it_may_use(
    db: Person, world: World, knowledge: list[str | None], constraint: str
) -> None:
    add_knowledge(db, "other_kb", "other")
    with db.as_service():
        with db.refused(constraint) as caught:
            db.run("UPDATE apps SET knowledge_base_ids = %s", [knowledge])
            db.run(CHECK_NOW)
        assert caught.value.diag.table_name == "apps"
        with db.refused(constraint):
            db.run("UPDATE knowledge_bases SET app_ids = '{coach,app}' WHERE kb_id = 'coach_kb'")
            add_app(db, "app", knowledge)
            db.run(CHECK_NOW)
        with db.refused(constraint):
            db.run(
                "INSERT INTO apps (app_id, display_name, domain, knowledge_base_ids)"
                " VALUES ('coach', 'Coach', 'health', %s)"
                " ON CONFLICT (app_id) DO UPDATE SET knowledge_base_ids = excluded.knowledge_base_ids",
                [knowledge],
            )
            db.run(CHECK_NOW)


@pytest.mark.rule("HUGO-06", "refuses")
@pytest.mark.rule("HUGO-07", "refuses")
@pytest.mark.rule("HUGO-08", "refuses")
@pytest.mark.parametrize(
    "column", ["app_id", "display_name", "domain", "knowledge_base_ids", "created_at", "updated_at"]
)
def test_what_every_app_has_cannot_be_null(db: Person, column: str) -> None:
    app = {"app_id": "app", "display_name": "App", "domain": "health", "knowledge_base_ids": ["kb"], column: None}
    with db.as_service(), db.refused(sqlstate="23502") as caught:
        insert(db, "apps", **app)
    assert caught.value.diag.column_name == column


@pytest.mark.rule("HUGO-08", "refuses")
def test_an_app_says_which_knowledge_it_has(db: Person) -> None:
    with db.as_service(), db.refused(sqlstate="23502"):
        db.run("INSERT INTO apps (app_id, display_name, domain) VALUES ('app', 'App', 'general')")


DELETE = "DELETE FROM knowledge_bases WHERE kb_id = 'coach_kb'"
RENAME = "UPDATE knowledge_bases SET kb_id = 'renamed' WHERE kb_id = 'coach_kb'"
WITHDRAW = "UPDATE knowledge_bases SET app_ids = '{other}' WHERE kb_id = 'coach_kb'"
LOSSES = pytest.mark.parametrize("loss", [DELETE, RENAME, WITHDRAW], ids=["delete", "rename", "withdraw"])


@pytest.mark.rule("HUGO-08", "refuses")
@LOSSES
def test_knowledge_in_use_stays(db: Person, world: World, loss: str) -> None:
    db.run(CHECK_NOW)
    db.run("SET CONSTRAINTS ALL DEFERRED")
    with db.as_service(), db.refused("apps_knowledge_base_ids_fkey", "23503") as caught:
        assert db.run(loss) == 1
        db.run(CHECK_NOW)
    assert caught.value.diag.table_name == "knowledge_bases"
    assert "'coach'" in caught.value.diag.message_primary
    # One of several users of it is enough.
    with db.as_service(), db.refused("apps_knowledge_base_ids_fkey"):
        db.run("UPDATE knowledge_bases SET app_ids = '{coach,app}'")
        add_app(db)
        db.run(CHECK_NOW)
        db.run("UPDATE knowledge_bases SET app_ids = '{coach}'")


@pytest.mark.rule("HUGO-08", "refuses")
def test_an_app_is_not_renamed_away_from_its_knowledge(db: Person, world: World) -> None:
    with db.as_service():
        with db.refused("apps_knowledge_base_ids_fkey"):
            db.run("UPDATE apps SET app_id = 'renamed'")
            db.run(CHECK_NOW)
        db.run("UPDATE apps SET app_id = 'renamed'")
        db.run("UPDATE knowledge_bases SET app_ids = '{renamed}'")
        db.run(CHECK_NOW)
    assert db.value("SELECT app_id FROM apps") == "renamed"


@pytest.mark.rule("HUGO-08", "accepts")
@LOSSES
def test_knowledge_goes_once_no_app_uses_it(db: Person, world: World, loss: str) -> None:
    add_knowledge(db, "other_kb", "coach")
    with db.as_service():
        assert db.run(loss) == 1
        db.run("UPDATE apps SET knowledge_base_ids = '{other_kb}'")
        db.run(CHECK_NOW)
    assert db.rows("SELECT 1 FROM knowledge_bases WHERE kb_id = 'coach_kb' AND 'coach' = ANY (app_ids)") == []


@pytest.mark.rule("HUGO-08", "accepts")
@pytest.mark.parametrize(
    "steps",
    [
        (RENAME, "UPDATE apps SET knowledge_base_ids = '{renamed}'"),
        (DELETE, "DELETE FROM apps"),
        ("DELETE FROM apps", DELETE),
        (WITHDRAW, "UPDATE knowledge_bases SET app_ids = '{coach}'"),
        (RENAME, "UPDATE knowledge_bases SET kb_id = 'coach_kb'"),
        (DELETE, "INSERT INTO knowledge_bases (kb_id, title, app_ids) VALUES ('coach_kb', 'Again', '{coach}')"),
        ("UPDATE apps SET knowledge_base_ids = '{soon_gone}'", "DELETE FROM apps"),
        ("UPDATE apps SET knowledge_base_ids = '{wrong}'", "UPDATE apps SET knowledge_base_ids = '{coach_kb}'"),
        ("UPDATE knowledge_bases SET app_ids = '{coach,more}', title = 'New', is_active = FALSE",),
    ],
)
def test_only_the_end_of_a_transaction_counts(db: Person, world: World, steps: tuple[str, ...]) -> None:
    with db.as_service():
        for step in steps:
            assert db.run(step) == 1
        assert db.run(CHECK_NOW) == -1
    assert dangling(db) == []


def dangling(db: Person) -> list[Any]:
    """Every use of a knowledge base by an app that is not allowed."""
    return db.rows(
        "SELECT a.app_id, k.kb_id FROM apps AS a CROSS JOIN unnest(a.knowledge_base_ids) AS k (kb_id) WHERE NOT EXISTS"
        " (SELECT 1 FROM knowledge_bases AS kb WHERE kb.kb_id = k.kb_id AND a.app_id = ANY (kb.app_ids))"
    )


LEVELS = ("READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE")
# SQLSTATE 40001: the session's snapshot is older than what the other one has done.
REFUSALS = ("apps_knowledge_base_ids_fkey", "40001")


@pytest.fixture
def meetings(connect: Callable[[], Person]) -> Iterator[tuple[Person, Person, str]]:
    """An iterator of all ways for two sessions to meet, at each isolation level.

    One is about to take the knowledge base coach_kb for the app coach, the other to lose it by the statement given;
    both have begun and have looked around. In the end nothing may be left dangling.
    """
    app, kb = connect(), connect()

    def meet() -> Iterator[tuple[Person, Person, str]]:
        for app_level, kb_level, loss in product(LEVELS, LEVELS, (DELETE, RENAME, WITHDRAW)):
            add_knowledge(kb, "coach_kb", "coach")
            for person, level in ((app, app_level), (kb, kb_level)):
                person.run(f"BEGIN ISOLATION LEVEL {level}")
                person.run("SELECT 1 FROM apps")
            yield app, kb, loss
            for person in (app, kb):
                person.run("ROLLBACK")
            assert dangling(app) == [], (app_level, kb_level, loss)
            app.run("DELETE FROM apps")
            kb.run("DELETE FROM knowledge_bases")

    return meet()


def refusal(step: Callable[..., Any], *arguments: Any) -> str | None:
    """Take a step that may be refused, and return by which rule or SQLSTATE."""
    try:
        step(*arguments)
    except psycopg.Error as error:
        return error.diag.constraint_name or error.sqlstate
    return None


def commit(person: Person) -> str | None:
    return refusal(person.run, "COMMIT")


@pytest.mark.rule("HUGO-08", "refuses")
def test_an_app_that_comes_first_keeps_its_knowledge(meetings: Iterator[tuple[Person, Person, str]]) -> None:
    for app, kb, loss in meetings:
        add_app(app, "coach")
        app.run(CHECK_NOW)
        with blocked(kb, app, loss) as lost:
            assert commit(app) is None
        assert (refusal(lost.result) or commit(kb)) in REFUSALS


@pytest.mark.rule("HUGO-08", "refuses")
def test_an_app_that_came_meanwhile_keeps_its_knowledge(meetings: Iterator[tuple[Person, Person, str]]) -> None:
    for app, kb, loss in meetings:
        add_app(app, "coach")
        assert commit(app) is None
        assert (refusal(kb.run, loss) or commit(kb)) in REFUSALS


@pytest.mark.rule("HUGO-08", "refuses")
def test_knowledge_that_goes_first_is_not_taken(meetings: Iterator[tuple[Person, Person, str]]) -> None:
    for app, kb, loss in meetings:
        assert kb.run(loss) == 1
        add_app(app, "coach")
        with blocked(app, kb, CHECK_NOW) as taken:
            assert commit(kb) is None
        assert refusal(taken.result) in REFUSALS


@pytest.mark.rule("HUGO-08", "refuses")
def test_knowledge_that_went_meanwhile_is_not_taken(meetings: Iterator[tuple[Person, Person, str]]) -> None:
    for app, kb, loss in meetings:
        assert kb.run(loss) == 1
        assert commit(kb) is None
        add_app(app, "coach")
        assert commit(app) in REFUSALS


@pytest.mark.rule("HUGO-08", "accepts")
def test_sessions_that_do_not_meet_do_not_disturb_each_other(meetings: Iterator[tuple[Person, Person, str]]) -> None:
    for app, kb, loss in meetings:
        add_knowledge(kb, "other_kb", "coach")
        assert kb.run(loss.replace("'coach_kb'", "'other_kb'")) == 1
        add_app(app, "coach")
        assert (commit(app), commit(kb)) == (None, None)


@pytest.mark.rule("HUGO-08", "accepts")
def test_two_apps_take_the_same_knowledge_at_the_same_time(connect: Callable[[], Person]) -> None:
    first, second = connect(), connect()
    low, high = sorted(uuid4() for _ in range(2))
    for kb_id, key in (("stored_first", high), ("locked_first", low)):
        insert(first, "knowledge_bases", id=key, kb_id=kb_id, title="Title", app_ids=["a", "b"])
    for person, app in ((first, "a"), (second, "b")):
        person.run("BEGIN")
        add_app(person, app, ("stored_first", "locked_first"))
    first.run("SELECT 1 FROM knowledge_bases WHERE id = %s FOR NO KEY UPDATE", [low])
    with blocked(second, first, CHECK_NOW):
        # While it waits for the one it does not hold the other.
        first.run("SELECT 1 FROM knowledge_bases WHERE id = %s FOR NO KEY UPDATE NOWAIT", [high])
        first.run("COMMIT")
    second.run("COMMIT")
    assert first.value("SELECT count(*) FROM apps") == 2
    assert dangling(first) == []


@pytest.mark.rule("HUGO-09", "accepts")
def test_anyone_reads_apps_and_the_service_writes_them(db: Person, world: World) -> None:
    with db.as_service():
        db.run("UPDATE apps SET is_active = FALSE")
        db.run("UPDATE knowledge_bases SET app_ids = '{coach,app}'")
        app = add_app(db)
        assert db.run("DELETE FROM apps WHERE id = %s", [app]) == 1
    with db.as_anon():
        assert db.row("SELECT app_id, is_active FROM apps") == ("coach", False)
    with db.as_user(world.ann):
        assert db.row("SELECT app_id, is_active FROM apps") == ("coach", False)


@pytest.mark.rule("HUGO-09", "refuses")
@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO apps (app_id, display_name, domain, knowledge_base_ids) VALUES ('a', 'A', 'health', '{coach_kb}')",
        "INSERT INTO apps SELECT * FROM apps ON CONFLICT DO NOTHING",
        "UPDATE apps SET display_name = 'Mine'",
        "DELETE FROM apps",
        "TRUNCATE apps CASCADE",
        "SELECT 1 FROM apps FOR SHARE",
    ],
)
def test_nobody_else_writes_apps(db: Person, world: World, statement: str) -> None:
    with db.as_anon(), db.refused(sqlstate="42501"):
        db.run(statement)
    with db.as_user(world.ann), db.refused(sqlstate="42501"):
        db.run(statement)


@pytest.mark.parametrize("reference", ["conversations", "user_progress", "user_memories"])
def test_an_app_in_use_cannot_be_deleted(db: Person, world: World, reference: str) -> None:
    columns: dict[str, dict[str, Any]] = {
        "conversations": {"session_id": "00000000-0000-4000-8000-000000000000"},
        "user_progress": {},
        "user_memories": {"memory_type": "insight", "content": "Likes tea"},
    }
    insert(db, reference, user_id=world.ann, app_id=world.app, **columns[reference])
    with db.as_service(), db.refused(f"{reference}_app_id_fkey", "23503"):
        db.run("DELETE FROM apps")


def test_an_app_names_an_existing_personality(db: Person, world: World) -> None:
    with db.as_service(), db.refused("apps_personality_schema_id_fkey", "23503"):
        db.run("UPDATE apps SET personality_schema_id = gen_random_uuid()")
