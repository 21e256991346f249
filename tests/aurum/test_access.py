"""What belongs to one person stays closed to another, who knows every id and tries everything.

Ann is the one who tries, Bob the one who is to notice nothing. Each has a row in every table. Whatever Ann does with
Bob's ids has the very outcome that it has with ids of nothing: rows, SQLSTATE and all that an error says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.aurum.world import User, World, add_task, find_out, reflect, say, spend, write
from tests.people import Person, contents, insert, insertion, outcome
from tests.vectors import vector

READ = {"SELECT"}
KEEP = READ | {"INSERT", "UPDATE"}
WRITE = KEEP | {"DELETE"}


@dataclass(frozen=True)
class Table:
    """What a user may change in a table and do with it, what a row needs, and the columns that refer to parents."""

    change: str
    may: set[str] = field(default_factory=lambda: WRITE)
    needed: dict[str, Any] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    # The parents that a row may be moved between.
    movable: set[str] = field(default_factory=set)
    owner: str = "user_id"


SAID = {
    "conversation_date": "2020-01-01",
    "session_id": str(uuid4()),
    "message_role": "user",
    "message_content": "Mine",
    "context_entities": "{}",
    "tokens_used": 0,
    "created_at": "2020-01-01",
}
FOUND = {
    "entity_type": "task",
    "insight_type": "recommendation",
    "title": "Mine",
    "summary": "Mine",
    "detailed_reasoning": "{}",
    "confidence_score": 0.5,
}
TABLES = {
    "user_profiles": Table("first_name", owner="id"),
    "pillars": Table("name", needed={"name": "Mine"}),
    "areas": Table("name", WRITE, {"name": "Mine"}, {"pillar_id": "pillars"}, {"pillar_id"}),
    "projects": Table("name", WRITE, {"name": "Mine"}, {"area_id": "areas"}, {"area_id"}),
    "tasks": Table(
        "name",
        WRITE,
        {"name": "Mine"},
        {"project_id": "projects", "parent_task_id": "tasks"},
        {"project_id", "parent_task_id"},
    ),
    "journal_entries": Table("title", WRITE, {"title": "Mine", "content": "Mine"}),
    "user_stats": Table("last_updated", KEEP),
    "insights": Table("title", WRITE, FOUND, {"entity_id": "tasks", "previous_version_id": "insights"}),
    "daily_reflections": Table("reflection_text", WRITE, {"reflection_text": "Mine", "reflection_date": "2020-01-01"}),
    "ai_conversation_memory": Table("message_content", WRITE, {"message_role": "user", "message_content": "Mine"}),
    "archived_conversation_memory": Table("message_content", READ, SAID),
    "time_entries": Table(
        "notes", WRITE, {"entity_type": "task", "start_time": "2020-01-01"}, {"entity_id": "tasks"}, {"entity_id"}
    ),
    "user_behavior_patterns": Table(
        "pattern_data", READ, {"pattern_type": "energy_patterns", "pattern_data": "{}", "sample_size": 1}
    ),
    "user_statistics_cache": Table("task_stats", READ, {"stat_date": "2020-01-01", "stat_type": "daily"}),
    "audit_log": Table("action", READ, {"action": "create", "entity_type": "mine", "entity_id": str(uuid4())}),
}
OTHER_RELATIONS = {
    *("embedding_backlog", "embedding_coverage", "hierarchy_view", "job_runs", "jobs", "my_hierarchy", "slow_queries"),
    *("statistics_cache_usage", "storage_growth", "timezones", "user_engagement", "vector_index_usage"),
}

Ids = dict[str, UUID]


@dataclass(frozen=True)
class Belongings:
    """A person and the ids of what they have, by table."""

    owner: User
    ids: Ids


def everything_of(db: Person, user: User) -> Belongings:
    """Give a user a row in every table, with embeddings where there can be any."""
    db.run("UPDATE user_profiles SET first_name = 'Private' WHERE id = %s", [user.id])
    db.run("UPDATE pillars SET name = 'Private' WHERE user_id = %s", [user.id])
    db.run("UPDATE areas SET name = 'Private' WHERE user_id = %s", [user.id])
    db.run("UPDATE projects SET name = 'Private', combined_embedding = %s WHERE user_id = %s", [vector(1), user.id])
    db.run(
        "UPDATE tasks SET name = 'Private', description = 'Private', description_embedding = %s WHERE user_id = %s",
        [vector(1), user.id],
    )
    about = {"entity_type": "task", "entity_id": user.task}
    owned = {"user_id": user.id}
    return Belongings(
        user,
        {
            "user_profiles": user.id,
            "pillars": user.pillar,
            "areas": user.area,
            "projects": user.project,
            "tasks": user.task,
            "journal_entries": write(db, user, "Private", content_embedding=vector(1)),
            "insights": find_out(db, user, title="Private", **about),
            "daily_reflections": reflect(db, user, "Private", reflection_embedding=vector(1)),
            "ai_conversation_memory": say(db, user, "Private", message_embedding=vector(1)),
            "archived_conversation_memory": insert(
                db, "archived_conversation_memory", id=uuid4(), **SAID | {"message_content": "Private"}, **owned
            ),
            "time_entries": spend(db, user, notes="Private"),
            "user_behavior_patterns": insert(
                db,
                "user_behavior_patterns",
                **TABLES["user_behavior_patterns"].needed | {"pattern_data": '["Private"]'},
                **owned,
            ),
            "user_statistics_cache": insert(
                db, "user_statistics_cache", stat_date="2020-01-01", stat_type="daily", **owned
            ),
            "user_stats": db.value("SELECT id FROM user_stats WHERE user_id = %s", [user.id]),
            "audit_log": insert(db, "audit_log", action="create", entity_type="x", entity_id=user.task, **owned),
        },
    )


def contents_of(db: Person, user: User) -> list[tuple[str, ...]]:
    """Return all rows of a user, with their places and by whom they were written."""
    return contents(db, {name: table.owner for name, table in TABLES.items()}, user.id)


@pytest.fixture
def anns(db: Person, world: World) -> Belongings:
    return everything_of(db, world.ann)


@pytest.fixture
def bobs(db: Person, world: World) -> Iterator[Belongings]:
    """What Bob has; afterwards all of it must be as it was, not even written anew, and nothing be added."""
    has = everything_of(db, world.bob)
    before = contents_of(db, world.bob)
    assert {row[0] for row in before} == {*TABLES}
    yield has
    assert contents_of(db, world.bob) == before


def attempt(db: Person, name: str, given: dict[str, Any], conflict: str = "") -> tuple[Any, ...]:
    """Insert a row with what it needs and these values, and return the outcome."""
    return insertion(db, name, {**TABLES[name].needed, **given}, conflict)


def parents(name: str, of: Belongings | None) -> Ids:
    """Return the parents that a row of somebody may have, or such as nobody has."""
    return {key: of.ids[table] if of else uuid4() for key, table in TABLES[name].keys.items()}


# Everything with the ids of another


@pytest.mark.rule("AUR-20", "refuses")
@pytest.mark.parametrize("name", TABLES)
def test_nobody_reads_or_changes_rows_of_another(
    db: Person, world: World, anns: Belongings, bobs: Belongings, name: str
) -> None:
    table = TABLES[name]
    theirs = {"id": bobs.ids[name], "owner": world.bob.id, "me": world.ann.id, **parents(name, bobs)}
    missing = {"id": uuid4(), "owner": uuid4(), "me": world.ann.id, **parents(name, None)}
    wheres = ["id = %(id)s", f"{table.owner} = %(owner)s", *(f"{key} = %({key})s" for key in table.keys)]
    with db.as_user(world.ann.id):
        for where in wheres:
            for verb, statement in (
                ("SELECT", f"SELECT * FROM {name} WHERE {where}"),
                ("SELECT", f"SELECT 1 / ({where})::integer - 1 FROM {name} WHERE {where}"),
                ("UPDATE", f"SELECT id FROM {name} WHERE {where} FOR KEY SHARE"),
                ("UPDATE", f"UPDATE {name} SET {table.change} = NULL WHERE {where}"),
                ("UPDATE", f"UPDATE {name} SET {table.owner} = %(me)s WHERE {where}"),
                ("UPDATE", f"UPDATE {name} SET {table.change} = {table.change} WHERE {where} RETURNING *"),
                ("DELETE", f"DELETE FROM {name} WHERE {where}"),
                ("DELETE", f"DELETE FROM {name} WHERE {where} RETURNING *"),
            ):
                learned = outcome(db, statement, theirs)
                assert learned[0] == (0 if verb in table.may else "42501"), (statement, learned)
                assert learned == outcome(db, statement, missing)


@pytest.mark.rule("AUR-04", "refuses")
@pytest.mark.rule("AUR-07", "refuses")
@pytest.mark.rule("AUR-20", "refuses")
@pytest.mark.parametrize("name", TABLES)
def test_nobody_adds_rows_to_another(db: Person, world: World, anns: Belongings, bobs: Belongings, name: str) -> None:
    """Neither as theirs, nor to what is theirs, not even to learn whether there is something already."""
    table = TABLES[name]
    # Each parent Ann's or Bob's, but not all of them Ann's, except in the name of Bob.
    for owner, choice in product((world.ann.id, world.bob.id), product(("ann", "bob"), repeat=len(table.keys))):
        if owner == world.ann.id and {*choice} <= {"ann"}:
            continue
        known: dict[str, Any] = {table.owner: owner}
        unknown: dict[str, Any] = {table.owner: world.ann.id if owner == world.ann.id else uuid4()}
        for whose, (key, parent) in zip(choice, table.keys.items(), strict=True):
            known[key] = (anns if whose == "ann" else bobs).ids[parent]
            unknown[key] = anns.ids[parent] if whose == "ann" else uuid4()
        with db.as_user(world.ann.id):
            for conflict in ("", "ON CONFLICT DO NOTHING"):
                learned = attempt(db, name, known, conflict)
                assert learned == attempt(db, name, unknown, conflict), (known, conflict)
                if table.keys and "INSERT" in table.may:
                    assert learned[0] == "23503", known
                    assert re.fullmatch(rf"{name}_({'|'.join(table.keys)})_fkey", learned[1])
                    assert learned[5:7] == (name, db.schema)
                else:
                    assert learned[0] == "42501", known


@pytest.mark.rule("AUR-20", "refuses")
@pytest.mark.parametrize(("name", "given"), [("areas", {}), ("insights", {"entity_type": "global"})])
def test_nobody_adds_rows_without_parents_to_another(
    db: Person, world: World, bobs: Belongings, name: str, given: dict[str, Any]
) -> None:
    with db.as_user(world.ann.id):
        learned = attempt(db, name, {**given, "user_id": world.bob.id})
        assert learned[0] == "42501"
        assert learned == attempt(db, name, {**given, "user_id": uuid4()})


@pytest.mark.rule("AUR-20", "refuses")
@pytest.mark.parametrize("name", TABLES)
def test_nobody_moves_their_rows_to_another(
    db: Person, world: World, anns: Belongings, bobs: Belongings, name: str
) -> None:
    table = TABLES[name]
    moves = {f"{table.owner} = %(owner)s": ""}
    for key in table.keys:
        moves |= {f"{key} = %({key})s": key, f"{table.owner} = %(owner)s, {key} = %({key})s": key}
    theirs = {"id": anns.ids[name], "owner": world.bob.id, **parents(name, bobs)}
    missing = {"id": anns.ids[name], "owner": uuid4(), **parents(name, None)}
    with db.as_user(world.ann.id):
        for move, key in moves.items():
            statement = f"UPDATE {name} SET {move} WHERE id = %(id)s"
            learned = outcome(db, statement, theirs)
            assert learned == outcome(db, statement, missing)
            rules = {("23514", f"{name}_immutable_check")}
            if key in table.movable:
                rules = {("23503", f"{name}_{key}_fkey")} | (rules if "owner" in move else set())
            assert learned[:2] in (rules if "UPDATE" in table.may else {("42501", None)}), (move, learned)


@pytest.mark.rule("AUR-04", "refuses")
@pytest.mark.rule("AUR-20", "refuses")
def test_no_task_waits_for_one_of_another(db: Person, world: World, anns: Belongings, bobs: Belongings) -> None:
    mine = add_task(db, world.ann)
    with db.as_user(world.ann.id):
        for statement in (
            "UPDATE tasks SET dependency_task_ids = ARRAY[%(mine)s, %(other)s] WHERE id = %(task)s",
            "INSERT INTO tasks (user_id, project_id, name, dependency_task_ids)"
            " VALUES (%(me)s, %(project)s, 'Mine', ARRAY[%(other)s])",
        ):
            given = {"task": world.ann.task, "mine": mine, "me": world.ann.id, "project": world.ann.project}
            learned = outcome(db, statement, {**given, "other": world.bob.task})
            assert learned[:2] == ("23503", "tasks_dependency_task_ids_fkey")
            assert learned == outcome(db, statement, {**given, "other": uuid4()})


@pytest.mark.rule("AUR-07", "refuses")
@pytest.mark.rule("AUR-20", "refuses")
@pytest.mark.parametrize("kind", ["pillar", "area", "project", "task"])
@pytest.mark.parametrize("name", ["insights", "time_entries"])
def test_nothing_is_said_about_what_is_anothers(
    db: Person, world: World, anns: Belongings, bobs: Belongings, name: str, kind: str
) -> None:
    """Of whatever kind it is, or is not."""
    for owner in (world.ann.id, world.bob.id):
        with db.as_user(world.ann.id):
            said = {
                attempt(db, name, {"user_id": owner, "entity_type": kind, "entity_id": about})
                for about in (bobs.ids[f"{kind}s"], bobs.ids["journal_entries"], world.bob.id, uuid4())
            }
        (learned,) = said
        assert learned[:2] == ("23503", f"{name}_entity_id_fkey")
    if name == "time_entries":
        about = {"kind": kind, "id": anns.ids[name]}
        change = "UPDATE time_entries SET entity_type = %(kind)s, entity_id = %(about)s WHERE id = %(id)s"
        with db.as_user(world.ann.id):
            learned = outcome(db, change, {**about, "about": bobs.ids[f"{kind}s"]})
            assert learned == outcome(db, change, {**about, "about": uuid4()})
            assert learned[:2] == ("23503", "time_entries_entity_id_fkey")


@pytest.mark.rule("AUR-08", "refuses")
@pytest.mark.rule("AUR-20", "refuses")
def test_an_insight_of_another_has_no_successor_to_learn_of(db: Person, world: World) -> None:
    """Whether it has one already, what it is about, and whether it stands."""
    first = find_out(db, world.bob)
    find_out(db, world.bob, previous_version_id=first)
    others = (first, find_out(db, world.bob, is_active=False), find_out(db, world.bob, expires_at="2020-01-01"))
    with db.as_user(world.ann.id):
        said = {
            attempt(db, "insights", {"user_id": world.ann.id, "entity_type": "global", "previous_version_id": previous})
            for previous in (*others, uuid4())
        }
    (learned,) = said
    assert learned[:2] == ("23503", "insights_previous_version_id_fkey")


@pytest.mark.rule("AUR-20", "refuses")
@pytest.mark.parametrize("name", TABLES)
def test_nobody_overwrites_rows_of_another_by_sending_their_id(
    db: Person, world: World, anns: Belongings, bobs: Belongings, name: str
) -> None:
    table = TABLES[name]
    given: dict[str, Any] = {table.owner: world.ann.id, **parents(name, anns), "id": bobs.ids[name]}
    overwrite = f"ON CONFLICT (id) DO UPDATE SET {table.change} = excluded.{table.change}"
    # A profile's id says whose it is.
    may = "INSERT" in table.may and name != "user_profiles"
    with db.as_user(world.ann.id):
        assert attempt(db, name, given, overwrite)[0] == "42501"
        assert attempt(db, name, given, "ON CONFLICT DO NOTHING")[0] == (0 if may else "42501")
        learned = attempt(db, name, given)
        assert learned[:2] == (("23505", f"{name}_pkey") if may else ("42501", None))
        assert learned[3] is None, "the rows of others are not shown"


@pytest.mark.rule("AUR-20", "refuses")
@pytest.mark.parametrize("name", [name for name, table in TABLES.items() if table.may == READ])
def test_what_users_read_only_they_do_not_write(db: Person, world: World, anns: Belongings, name: str) -> None:
    """Not even their own rows."""
    before = contents_of(db, world.ann)
    given = {"id": uuid4(), "user_id": world.ann.id}
    with db.as_user(world.ann.id):
        change = TABLES[name].change
        assert attempt(db, name, given)[0] == "42501"
        assert attempt(db, name, given, f"ON CONFLICT (id) DO UPDATE SET {change} = excluded.{change}")[0] == "42501"
        for statement in (
            f"UPDATE {name} SET {change} = {change}",
            f"DELETE FROM {name}",
            f"SELECT FROM {name} FOR KEY SHARE",
            f"TRUNCATE {name}",
        ):
            assert outcome(db, statement, {})[0] == "42501", statement
    if name != "audit_log":
        with db.as_service():
            assert attempt(db, name, given | {"user_id": world.bob.id}) == (1,)
    assert contents_of(db, world.ann) == before


@pytest.mark.rule("AUR-19", "refuses")
@pytest.mark.rule("AUR-20", "refuses")
def test_services_write_no_log_either(db: Person, world: World, anns: Belongings) -> None:
    with db.as_service():
        assert attempt(db, "audit_log", {"user_id": world.ann.id})[0] == "42501"
        for statement in ("UPDATE audit_log SET action = action", "DELETE FROM audit_log", "TRUNCATE audit_log"):
            assert outcome(db, statement, {})[0] == "42501", statement


@pytest.mark.rule("AUR-20", "refuses")
def test_nobody_deletes_their_counters(db: Person, world: World) -> None:
    """They would begin at zero again."""
    for person in (db.as_user(world.ann.id), db.as_service()):
        with person:
            assert outcome(db, "DELETE FROM user_stats", {})[0] == "42501"


@pytest.mark.rule("AUR-20", "refuses")
def test_nobody_empties_a_table(db: Person, world: World, bobs: Belongings) -> None:
    """TRUNCATE knows of no row-level security."""
    for act in (db.as_anon(), db.as_user(world.ann.id), db.as_service()):
        with act:
            for name in (*TABLES, "timezones", "job_runs", "jobs", "slow_queries"):
                assert outcome(db, f"TRUNCATE {name} CASCADE", {})[0] == "42501", name


# Functions: each that takes an id, with those of one person, and what it says of another's.
_QUERY = "%(query)s::extensions.vector"
CALLS: dict[str, tuple[str, tuple[Any, ...]]] = {
    "acting_user": ("SELECT * FROM acting_user(%(users)s)", ("42501",)),
    "rag_search": (f"SELECT * FROM rag_search({_QUERY}, %(users)s)", ("42501",)),
    "find_similar_journal_entries": (
        f"SELECT * FROM find_similar_journal_entries({_QUERY}, 5, %(users)s)",
        ("42501",),
    ),
    "find_similar_tasks": (f"SELECT * FROM find_similar_tasks({_QUERY}, 5, %(users)s)", ("42501",)),
    "search_conversation_memory": (f"SELECT * FROM search_conversation_memory({_QUERY}, %(users)s)", ("42501",)),
    **{
        f"nearest_rows, {kind}": (f"SELECT * FROM nearest_rows('{kind}', {_QUERY}, %(users)s, 5)", (0,))
        for kind in ("journal_entry", "task", "project", "daily_reflection", "conversation")
    },
    "refresh_user_statistics": ("SELECT * FROM refresh_user_statistics(%(users)s)", ("42501",)),
    "record_insight_feedback": (
        "SELECT * FROM record_insight_feedback(%(insights)s, 'accepted')",
        ("P0002", "insights_pkey"),
    ),
}


def call_with(db: Person, call: str, of: Belongings | None) -> tuple[Any, ...]:
    """Call a function with the ids of what a person has, or with such as nobody has."""
    ids = of.ids | {"users": of.owner.id} if of else dict.fromkeys(("users", *TABLES), uuid4())
    return outcome(db, CALLS[call][0], {**ids, "query": vector(1)})


@pytest.mark.rule("AUR-08", "refuses")
@pytest.mark.rule("AUR-15", "refuses")
@pytest.mark.rule("AUR-17", "refuses")
@pytest.mark.rule("AUR-20", "refuses")
@pytest.mark.parametrize("call", CALLS)
def test_no_function_serves_another(db: Person, world: World, anns: Belongings, bobs: Belongings, call: str) -> None:
    """Nor says more of them than of nobody."""
    with db.as_user(world.ann.id):
        # The first error in a session tells of fewer levels.
        call_with(db, call, None)
        learned = call_with(db, call, bobs)
        assert learned[: len(CALLS[call][1])] == CALLS[call][1]
        assert learned == call_with(db, call, None)
    with db.as_anon():
        assert call_with(db, call, bobs)[0] == "42501"


@pytest.mark.rule("AUR-08", "accepts")
@pytest.mark.rule("AUR-15", "accepts")
@pytest.mark.rule("AUR-17", "accepts")
@pytest.mark.rule("AUR-20", "accepts")
@pytest.mark.parametrize("call", CALLS)
def test_the_functions_are_for_what_is_ones_own(
    db: Person, world: World, anns: Belongings, bobs: Belongings, call: str
) -> None:
    """Else they would refuse for another reason than whose it is; a service may name anybody."""
    for act in (db.as_user(world.ann.id), db.as_service()):
        with act:
            assert call_with(db, call, anns) == (4 if call == "rag_search" else 1,)


SERVICES_CALLS = [
    "archive_old_conversations()",
    "data_quality_report()",
    "embedding_text_hash('{x}')",
    "expire_insights()",
    "refresh_all_statistics()",
    "refresh_hierarchy_view()",
    "refresh_user_stats()",
    "set_embedding('task', %(tasks)s, 'x', '{}')",
    "slow_query_report()",
    "stale_embeddings('task')",
]
TRIGGERS_CALLS = [
    "compute_statistics(current_date, 'daily', '{}')",
    "user_counters(ARRAY[%(user_profiles)s])",
]


@pytest.mark.rule("AUR-20", "refuses")
@pytest.mark.parametrize("role", ["anon", "authenticated"])
def test_what_is_the_services_alone(db: Person, world: World, bobs: Belongings, role: str) -> None:
    with db.as_anon() if role == "anon" else db.as_user(world.bob.id):
        for call in SERVICES_CALLS + TRIGGERS_CALLS:
            assert outcome(db, f"SELECT * FROM {call}", dict(bobs.ids))[0] == "42501", call


@pytest.mark.rule("AUR-20", "accepts")
@pytest.mark.rule("AUR-20", "refuses")
def test_the_service_calls_what_is_its_own(db: Person, bobs: Belongings) -> None:
    with db.as_service():
        for call in SERVICES_CALLS:
            learned = outcome(db, f"SELECT * FROM {call}", dict(bobs.ids))
            if call.startswith("set_embedding"):
                assert learned[:2] == ("23514", "tasks_embedding_hash_check")
            else:
                assert len(learned) == 1, (call, learned)
        for call in TRIGGERS_CALLS:
            assert outcome(db, f"SELECT * FROM {call}", dict(bobs.ids))[0] == "42501", call


# Visitors, and what everybody sees


@pytest.mark.rule("AUR-20", "refuses")
def test_visitors_get_nothing(db: Person, world: World, anns: Belongings, bobs: Belongings) -> None:
    with db.as_anon():
        for name in (*TABLES, *OTHER_RELATIONS):
            assert outcome(db, f"SELECT FROM {name}", {})[0] == "42501", name
            # Some views cannot be written by anybody.
            for statement in (f"DELETE FROM {name}", f"INSERT INTO {name} DEFAULT VALUES"):
                assert outcome(db, statement, {})[0] in ("42501", "55000", "42809"), statement
        for name, table in TABLES.items():
            assert attempt(db, name, {table.owner: world.ann.id, **parents(name, anns)})[0] == "42501", name
            change = f"UPDATE {name} SET {table.change} = {table.change} WHERE id = %(id)s"
            assert outcome(db, change, {"id": bobs.ids[name]})[0] == "42501"
        for call in ("current_user_id()", "prepare_statements()", "embedding_source('task')"):
            assert outcome(db, f"SELECT * FROM {call}", {})[0] == "42501"


@pytest.mark.rule("AUR-20", "refuses")
def test_a_token_of_nobody_shows_nothing(db: Person, bobs: Belongings) -> None:
    with db.as_user(uuid4()):
        for name in TABLES:
            assert db.rows(f"SELECT FROM {name}") == [], name


@pytest.mark.rule("AUR-20", "accepts")
def test_everybody_reads_what_is_theirs_and_services_everything(
    db: Person, world: World, anns: Belongings, bobs: Belongings
) -> None:
    for name, table in TABLES.items():
        ids = f"SELECT id FROM {name} WHERE {table.owner} = ANY (%s) ORDER BY id"
        own, everything = db.rows(ids, [[world.ann.id]]), db.rows(ids, [[world.ann.id, world.bob.id]])
        assert (anns.ids[name],) in own
        assert len(own) < len(everything)
        with db.as_user(world.ann.id):
            assert db.rows(f"SELECT id FROM {name} ORDER BY id") == own, name
        with db.as_service():
            assert db.rows(ids, [[world.ann.id, world.bob.id]]) == everything, name


@pytest.mark.rule("AUR-20", "accepts")
@pytest.mark.parametrize("name", [name for name, table in TABLES.items() if table.may != READ])
def test_everybody_writes_what_is_theirs(db: Person, world: World, anns: Belongings, name: str) -> None:
    table = TABLES[name]
    mine: dict[str, Any] = {table.owner: world.ann.id, **parents(name, anns)}
    if name in ("user_profiles", "user_stats"):
        db.run(f"DELETE FROM {name} WHERE {table.owner} = %s", [world.ann.id])
    with db.as_user(world.ann.id):
        made = insert(db, name, **table.needed, **mine)
        assert db.run(f"UPDATE {name} SET {table.change} = {table.change} WHERE id = %s", [made]) == 1
        if "DELETE" in table.may:
            assert db.run(f"DELETE FROM {name} WHERE id = %s", [made]) == 1


@pytest.mark.rule("AUR-20", "accepts")
@pytest.mark.rule("AUR-20", "refuses")
def test_users_read_time_zones_and_nothing_else_of_the_operators(db: Person, world: World) -> None:
    with db.as_user(world.ann.id):
        assert db.rows("SELECT FROM timezones WHERE name = 'Europe/Berlin'") == [()]
        for statement in ("INSERT INTO timezones VALUES ('Mine')", "UPDATE timezones SET name = name"):
            assert outcome(db, statement, {})[0] == "42501"
        assert outcome(db, "DELETE FROM timezones", {})[0] == "42501"
        for name in OTHER_RELATIONS - {"timezones", "my_hierarchy"}:
            assert outcome(db, f"SELECT FROM {name}", {})[0] == "42501", name
    with db.as_service():
        assert db.run("INSERT INTO timezones VALUES ('Mars/Olympus')") == 1
        for name in OTHER_RELATIONS - {"hierarchy_view", "my_hierarchy"}:
            assert len(outcome(db, f"SELECT FROM {name}", {})) == 1, name
        for name in ("hierarchy_view", "my_hierarchy"):
            assert outcome(db, f"SELECT FROM {name}", {})[0] == "42501", name
        assert outcome(db, "DELETE FROM jobs", {})[0] == "42501"


# What happens to look like a way around


SPY = """
CREATE FUNCTION pg_temp.spy(p_seen text) RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS $$
BEGIN
    IF p_seen = 'Private' THEN
        RAISE EXCEPTION 'seen: %', p_seen;
    END IF;
    RETURN TRUE;
END;
$$
"""


@pytest.mark.rule("AUR-16", "refuses")
@pytest.mark.rule("AUR-20", "refuses")
def test_no_condition_of_the_callers_looks_behind_a_view_or_policy(db: Person, world: World, bobs: Belongings) -> None:
    with db.as_service():
        db.run("SELECT refresh_hierarchy_view()")
    # Else an index would pass over the others before any condition is asked.
    db.run("SET LOCAL enable_indexscan = off; SET LOCAL enable_bitmapscan = off")
    with db.as_user(world.ann.id):
        db.run(SPY)
        assert [row.task_id for row in db.rows("SELECT * FROM my_hierarchy WHERE pg_temp.spy(task_name)")] == [
            world.ann.task
        ]
        for name, table in TABLES.items():
            if name not in ("user_stats", "user_behavior_patterns", "user_statistics_cache", "audit_log"):
                rows = db.rows(f"SELECT FROM {name} WHERE pg_temp.spy({table.change})")
                assert len(rows) == (name in ("user_profiles", "pillars", "areas", "projects", "tasks")), name


@pytest.mark.rule("AUR-20", "refuses")
def test_nobody_is_fooled_by_tables_and_functions_of_the_same_name(
    db: Person, world: World, anns: Belongings, bobs: Belongings
) -> None:
    """A caller sets the search_path and may create temporary objects; what is ours never finds them."""
    for name, table in TABLES.items():
        # Ann knows what Bob's rows look like; in hers they are her own.
        db.run(f"CREATE TEMPORARY TABLE {name} AS SELECT * FROM {db.schema}.{name} WHERE id = %s", [bobs.ids[name]])
        db.run(f"UPDATE pg_temp.{name} SET {table.owner} = %s", [world.ann.id])
        db.run(f"GRANT ALL ON pg_temp.{name} TO authenticated")
    real = f'"{db.schema}".'
    with db.as_user(world.ann.id):
        db.run(f"CREATE FUNCTION pg_temp.current_user_id() RETURNS uuid RETURN '{world.bob.id}'::uuid")
        db.run("CREATE FUNCTION pg_temp.is_service() RETURNS boolean RETURN TRUE")
        db.run(f'SET LOCAL search_path = pg_temp, "{db.schema}", platform, extensions')
        assert db.value("SELECT id FROM tasks") == bobs.ids["tasks"], "the path was to be searched first"
        assert db.value(f"SELECT {real}current_user_id()") == world.ann.id
        for call, (sql, refused) in CALLS.items():
            named = re.sub(r"FROM (\w+\()", rf"FROM {real}\1", sql)
            ids = {**bobs.ids, "users": world.bob.id, "query": vector(1)}
            assert outcome(db, named, ids)[: len(refused)] == refused, call
        for name, table in TABLES.items():
            if table.keys and table.may == WRITE:
                columns = {**table.needed, "user_id": world.ann.id, **parents(name, bobs)}
                marks = ", ".join(f"%({column})s" for column in columns)
                learned = outcome(db, f"INSERT INTO {real}{name} ({', '.join(columns)}) VALUES ({marks})", columns)
                assert learned[0] == "23503", name
        with db.refused("user_profiles_user_tier_service_check"):
            db.run(f"UPDATE {real}user_profiles SET user_tier = 'premium'")
        # The triggers, too, write where they should.
        made = db.value(f"INSERT INTO {real}pillars (user_id, name) VALUES (%s, 'Mine') RETURNING id", [world.ann.id])
        assert db.value(f"SELECT action FROM {real}audit_log WHERE entity_id = %s", [made]) == "create"
    db.run(f'SET LOCAL search_path = "{db.schema}", platform, pg_temp')


# What becomes of rows in time; then they are sent back as they were read.
AGED = {
    "user_profiles": "user_tier = 'premium', total_focus_hours = 7, average_daily_completion_rate = 0.5",
    "areas": "archived = TRUE, archived_at = '2020-01-02'",
    "projects": "pillar_id = NULL, status = 'completed', embedding_hash = 'x'",
    "tasks": "status = 'completed', completed = TRUE, completed_at = '2020-01-02', embedding_hash = 'x'",
    "journal_entries": "embedding_hash = 'x', embedding_updated_at = '2020-01-02'",
    "user_stats": "total_tasks = 7, ai_satisfaction_score = 4, last_updated = '2020-01-02'",
    # Of the second version, whose first is gone.
    "insights": "version = 2, application_count = 3, is_active = FALSE, user_feedback = 'accepted'",
    "daily_reflections": "embedding_hash = 'x', embedding_updated_at = '2020-01-02'",
    "ai_conversation_memory": "embedding_hash = 'x', embedding_updated_at = '2020-01-02'",
}


@pytest.mark.rule("AUR-20", "accepts")
@pytest.mark.parametrize("name", [name for name, table in TABLES.items() if table.may != READ])
def test_whole_rows_of_ones_own_may_be_sent_back(db: Person, world: World, anns: Belongings, name: str) -> None:
    """Clients that upsert name every column, those too that the database maintains."""
    given = {"id": anns.ids[name]}
    # Without triggers, as if it had been in this state for long.
    db.run("SET LOCAL session_replication_role = replica")
    aged = ", ".join(part for part in (AGED.get(name), "created_at = '2020-01-01'") if part)
    db.run(f"UPDATE {name} SET {aged} WHERE id = %(id)s", given)
    db.run("UPDATE areas SET pillar_id = NULL WHERE %(id)s = %(project)s", {**given, "project": world.ann.project})
    db.run("SET LOCAL session_replication_role = origin")
    row = db.row(f"SELECT * FROM {name} WHERE id = %(id)s", given)
    generated = {"duration_minutes"}
    columns = ", ".join(column for column in row._fields if column not in generated)
    again = ", ".join(f"{column} = excluded.{column}" for column in row._fields if column not in generated)
    with db.as_user(world.ann.id):
        sent = given | {"row": db.value(f"SELECT to_jsonb(t)::text FROM {name} AS t WHERE id = %(id)s", given)}
        db.value(
            f"INSERT INTO {name} ({columns}) SELECT {columns} FROM jsonb_populate_record(NULL::{name}, %(row)s)"
            f" ON CONFLICT (id) DO UPDATE SET {again} RETURNING id",
            sent,
        )
    after = db.row(f"SELECT * FROM {name} WHERE id = %(id)s", given)
    for column in row._fields:
        if column != "updated_at":
            assert getattr(after, column) == getattr(row, column), column


# What goes and what stays


@pytest.mark.rule("AUR-20", "accepts")
def test_an_account_takes_everything_of_it_along_and_nothing_of_others(
    db: Person, world: World, anns: Belongings, bobs: Belongings
) -> None:
    assert {row[0] for row in contents_of(db, world.ann)} == {*TABLES}
    # What hangs together holds nothing back.
    sub = add_task(db, world.ann, parent_task_id=world.ann.task, dependency_task_ids=[world.ann.task])
    for kind in ("pillar", "area", "project", "task"):
        spend(db, world.ann, entity_type=kind, entity_id=anns.ids[f"{kind}s"])
        first = find_out(db, world.ann, entity_type=kind, entity_id=anns.ids[f"{kind}s"])
        find_out(db, world.ann, entity_type=kind, entity_id=anns.ids[f"{kind}s"], previous_version_id=first)
    db.run("UPDATE tasks SET dependency_task_ids = ARRAY[%s] WHERE id = %s", [sub, world.ann.task])
    before = contents_of(db, world.bob)
    db.run("DELETE FROM auth.users WHERE id = %s", [world.ann.id])
    assert contents_of(db, world.ann) == []
    for name in TABLES:
        left = f"SELECT id FROM {name} AS t WHERE id = %s OR position(%s IN t::text) > 0"
        assert db.rows(left, [anns.ids[name], str(world.ann.id)]) == [], name
    assert contents_of(db, world.bob) == before


@pytest.mark.rule("AUR-20", "accepts")
def test_several_accounts_go_at_once(db: Person, world: World, anns: Belongings) -> None:
    everything_of(db, world.bob)
    db.run("DELETE FROM auth.users WHERE id = ANY (%s)", [[world.ann.id, world.bob.id]])
    assert contents_of(db, world.ann) == contents_of(db, world.bob) == []


@pytest.mark.rule("AUR-20", "refuses")
def test_nobody_removes_an_account_from_here(db: Person, world: World, bobs: Belongings) -> None:
    with db.as_user(world.ann.id), db.refused(sqlstate="42501"):
        db.run("DELETE FROM auth.users WHERE id = %s", [world.bob.id])


@pytest.mark.rule("AUR-20", "accepts")
def test_everything_that_refers_to_a_row_goes_with_it_or_lets_it_go(db: Person) -> None:
    """So that a table not yet written cannot block the deletion of an account."""
    keys = db.rows(
        "SELECT conname AS name, confdeltype::text AS action, confrelid::regclass::text AS of FROM pg_constraint"
        " WHERE contype = 'f' AND connamespace = %s::regnamespace",
        [db.schema],
    )
    assert {row.name for row in keys if row.action == "n"} == {
        "areas_pillar_id_fkey",
        "insights_previous_version_id_fkey",
        "projects_pillar_id_fkey",
        "tasks_area_id_fkey",
        "tasks_pillar_id_fkey",
    }
    assert {row.name for row in keys if row.action not in "cn"} == {"user_profiles_timezone_fkey"}
    assert {row.name for row in keys if row.of == "auth.users"} == {
        f"{name}_{table.owner}_fkey" for name, table in TABLES.items()
    }


def test_every_relation_is_accounted_for(db: Person) -> None:
    relations = db.rows(
        "SELECT relname, relkind::text AS kind, relrowsecurity AS secured FROM pg_class"
        " WHERE relnamespace = %s::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'f')"
        # The runner's own, on which nothing is granted.
        " AND relname !~ '^_?(yoyo|companion|runner)'",
        [db.schema],
    )
    assert {row.relname for row in relations} == {*TABLES, *OTHER_RELATIONS}
    assert all(row.secured for row in relations if row.kind == "r")
