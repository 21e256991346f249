"""Insights: what they are about, their scores, their versions, what people made of them, and when they are over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from tests.aurum.world import User, World, add_task, build_world, find_out, spend
from tests.people import Person, blocked, insert

KINDS = ["pillar", "area", "project", "task"]
TYPES = [
    *("priority_reasoning", "alignment_analysis", "pattern_recognition", "recommendation", "goal_coherence"),
    *("time_allocation", "progress_prediction", "obstacle_identification", "optimization_suggestion"),
]
FEEDBACK = {"accepted": 1, "rejected": 0, "modified": 1, "ignored": 0}


def about(user: User, kind: str) -> dict[str, Any]:
    return {"entity_type": kind, "entity_id": getattr(user, kind)}


def insight(db: Person, id: UUID) -> Any:
    return db.row("SELECT * FROM insights WHERE id = %s", [id])


def left(db: Person) -> set[UUID]:
    """Return the ids of all insights and time entries."""
    return {row.id for row in db.rows("SELECT id FROM insights UNION ALL SELECT id FROM time_entries")}


# What they are about


@pytest.mark.rule("AUR-07", "accepts")
@pytest.mark.parametrize("kind", KINDS)
def test_an_insight_and_a_time_entry_are_about_something_of_ones_own(db: Person, world: World, kind: str) -> None:
    with db.as_user(world.ann.id):
        found, spent = find_out(db, world.ann, **about(world.ann, kind)), spend(db, world.ann, **about(world.ann, kind))
        assert insight(db, found).entity_id == getattr(world.ann, kind)
        assert db.value("SELECT entity_id FROM time_entries WHERE id = %s", [spent]) == getattr(world.ann, kind)


@pytest.mark.rule("AUR-07", "accepts")
def test_a_global_insight_is_about_nothing_in_particular(db: Person, world: World) -> None:
    with db.as_user(world.ann.id):
        assert insight(db, find_out(db, world.ann)).entity_id is None


@pytest.mark.rule("AUR-07", "refuses")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("make", [find_out, spend])
def test_what_is_not_there_is_refused_to_everybody(
    db: Person, world: World, make: Callable[..., UUID], kind: str
) -> None:
    """Of another user, of another kind, or nowhere."""
    table = {find_out: "insights", spend: "time_entries"}[make]
    other = getattr(world.ann, KINDS[KINDS.index(kind) - 1])
    for act in (db.as_user(world.ann.id), db.as_service()):
        with act:
            for missing in (getattr(world.bob, kind), other, uuid4()):
                with db.refused(f"{table}_entity_id_fkey", "23503"):
                    make(db, world.ann, entity_type=kind, entity_id=missing)


@pytest.mark.rule("AUR-07", "refuses")
def test_something_particular_has_an_id_and_something_global_none(db: Person, world: World) -> None:
    with db.as_user(world.ann.id):
        with db.refused("insights_entity_id_check"):
            find_out(db, world.ann, entity_id=world.ann.task)
        for kind in KINDS:
            with db.refused("insights_entity_id_fkey"):
                find_out(db, world.ann, entity_type=kind)
        for kind in ("", "Task", "journal_entry", "goal"):
            with db.refused("insights_entity_type_check"):
                find_out(db, world.ann, entity_type=kind, entity_id=world.ann.task)


@pytest.mark.rule("AUR-07", "refuses")
def test_an_insight_stays_with_what_it_is_about(db: Person, world: World) -> None:
    found = find_out(db, world.ann, **about(world.ann, "task"))
    other = add_task(db, world.ann)
    for act in (db.as_user(world.ann.id), db.as_service()):
        with act:
            for change, values in (
                ("entity_id = %s", [other]),
                ("entity_type = 'global', entity_id = %s", [None]),
                ("entity_type = 'project', entity_id = %s", [world.ann.project]),
                ("user_id = %s", [world.bob.id]),
                ("id = %s", [uuid4()]),
            ):
                with db.refused("insights_immutable_check"):
                    db.run(f"UPDATE insights SET {change} WHERE id = %s", [*values, found])


@pytest.mark.rule("AUR-07", "accepts")
@pytest.mark.parametrize("kind", KINDS)
def test_they_go_with_what_they_are_about_and_with_what_that_is_part_of(db: Person, world: World, kind: str) -> None:
    """A deleted pillar leaves its areas; an area takes its projects along, these their tasks, these their parts."""
    part = add_task(db, world.ann, parent_task_id=world.ann.task)
    rows = {level: {make(db, world.ann, **about(world.ann, level)) for make in (find_out, spend)} for level in KINDS}
    of_part = {make(db, world.ann, entity_type="task", entity_id=part) for make in (find_out, spend)}
    stays = {find_out(db, world.ann), find_out(db, world.bob, **about(world.bob, kind)), spend(db, world.bob)}
    with db.as_user(world.ann.id):
        assert db.run(f"DELETE FROM {kind}s WHERE id = %s", [getattr(world.ann, kind)]) == 1
    gone = [kind] if kind == "pillar" else KINDS[KINDS.index(kind) :]
    expected = stays.union(*(ids for level, ids in rows.items() if level not in gone))
    assert left(db) == (expected | of_part if kind == "pillar" else expected)


@pytest.mark.rule("AUR-07", "accepts")
def test_what_has_the_same_id_elsewhere_stays(db: Person, world: World) -> None:
    """Ids are unique within a table only."""
    pillar = insert(db, "pillars", id=world.ann.task, user_id=world.ann.id, name="Twin")
    kept = {make(db, world.ann, entity_type="task", entity_id=pillar) for make in (find_out, spend)}
    for make in (find_out, spend):
        make(db, world.ann, entity_type="pillar", entity_id=pillar)
    with db.as_user(world.ann.id):
        db.run("DELETE FROM pillars WHERE id = %s", [pillar])
    assert left(db) == kept


@pytest.mark.rule("AUR-07", "accepts")
def test_many_go_at_once(db: Person, world: World) -> None:
    tasks = [add_task(db, world.ann) for _ in range(3)]
    for task in tasks:
        find_out(db, world.ann, entity_type="task", entity_id=task)
        spend(db, world.ann, entity_id=task)
    with db.as_user(world.ann.id):
        assert db.run("DELETE FROM tasks WHERE id = ANY (%s)", [tasks]) == 3
    assert left(db) == set()


MAKE = {
    "insights": "INSERT INTO insights (user_id, entity_type, entity_id, insight_type, title, summary,"
    " detailed_reasoning, confidence_score) VALUES (%s, 'task', %s, 'recommendation', 'Rest', 'Rest', '{}', 0.5)",
    "time_entries": "INSERT INTO time_entries (user_id, entity_type, entity_id, start_time)"
    " VALUES (%s, 'task', %s, '2026-01-05')",
}


@pytest.mark.rule("AUR-07", "refuses")
@pytest.mark.parametrize("table", MAKE)
def test_nothing_is_written_about_what_another_session_is_deleting(connect: Callable[[], Person], table: str) -> None:
    owner, first, second = connect(), connect(), connect()
    world = build_world(owner)
    ann = world.ann
    with first.as_user(ann.id), second.as_user(ann.id):
        with first.conn.transaction():
            first.run("DELETE FROM tasks WHERE id = %s", [ann.task])
            with blocked(second, first, MAKE[table], [ann.id, ann.task]) as made:
                first.run("COMMIT")
        with pytest.raises(psycopg.errors.ForeignKeyViolation, match=f"{table}_entity_id_fkey"):
            made.result()
    assert left(owner) == set()


@pytest.mark.rule("AUR-07", "accepts")
@pytest.mark.parametrize("table", MAKE)
def test_what_another_session_has_just_written_goes_too(connect: Callable[[], Person], table: str) -> None:
    owner, first, second = connect(), connect(), connect()
    ann = build_world(owner).ann
    with first.as_user(ann.id), second.as_user(ann.id):
        with first.conn.transaction():
            first.run(MAKE[table], [ann.id, ann.task])
            with blocked(second, first, "DELETE FROM projects WHERE id = %s", [ann.project]) as deleted:
                first.run("COMMIT")
        assert deleted.result() == 1
    assert left(owner) == set()


# Their form


@pytest.mark.rule("AUR-08", "accepts")
@pytest.mark.parametrize("kind", TYPES)
def test_every_type_of_insight(db: Person, world: World, kind: str) -> None:
    with db.as_user(world.ann.id):
        assert insight(db, find_out(db, world.ann, insight_type=kind)).insight_type == kind


@pytest.mark.rule("AUR-08", "accepts")
@pytest.mark.parametrize("score", ["0", "0.01", "1"])
def test_scores_are_from_0_to_1(db: Person, world: World, score: str) -> None:
    with db.as_user(world.ann.id):
        row = insight(db, find_out(db, world.ann, confidence_score=score, impact_score=score))
    assert str(row.confidence_score) == str(row.impact_score) == f"{float(score):.2f}"


@pytest.mark.rule("AUR-08", "accepts")
def test_an_insight_begins_standing_with_nothing_made_of_it(db: Person, world: World) -> None:
    with db.as_user(world.ann.id):
        row = insight(db, find_out(db, world.ann))
    assert (row.is_active, row.is_pinned, row.version, row.application_count) == (True, False, 1, 0)
    assert (row.user_feedback, row.impact_score, row.expires_at, row.last_accessed_at) == (None, None, None, None)
    assert (row.reasoning_path, row.supporting_data, row.tags) == ([], {}, [])
    assert row.llm_model_used == "gemini-1.5-flash"


@pytest.mark.rule("AUR-08", "refuses")
@pytest.mark.parametrize(
    ("said", "constraint"),
    [
        *(({"insight_type": value}, "insights_insight_type_check") for value in ("", "Recommendation", "advice")),
        *(({"confidence_score": value}, "insights_confidence_score_check") for value in ("-0.01", "1.01", "NaN")),
        *(({"impact_score": value}, "insights_impact_score_check") for value in ("-0.01", "1.01", "NaN")),
        *(({"user_feedback": value}, "insights_user_feedback_check") for value in ("", "Accepted", "liked")),
        *(({"title": value}, "insights_title_check") for value in ("", " \n", "\u200b")),
        *(({"summary": value}, "insights_summary_check") for value in ("", " \n", "\u200b")),
        *(({"tags": value}, "insights_tags_check") for value in (["a", "a"], ["a", None])),
    ],
)
def test_what_is_no_insight_is_refused(db: Person, world: World, said: dict[str, Any], constraint: str) -> None:
    found = find_out(db, world.ann)
    (column,) = said
    for act in (db.as_user(world.ann.id), db.as_service()):
        with act:
            with db.refused(constraint):
                find_out(db, world.ann, **said)
            with db.refused(constraint):
                db.run(f"UPDATE insights SET {column} = %s WHERE id = %s", [said[column], found])


@pytest.mark.rule("AUR-08", "refuses")
@pytest.mark.parametrize(
    "column",
    [
        *("entity_type", "insight_type", "title", "summary", "detailed_reasoning", "confidence_score"),
        *("reasoning_path", "supporting_data", "is_active", "is_pinned", "tags", "user_id"),
    ],
)
def test_what_an_insight_needs(db: Person, world: World, column: str) -> None:
    with db.refused(sqlstate="23502") as caught:
        find_out(db, world.ann, **{column: None})
    assert caught.value.diag.column_name == column


@pytest.mark.rule("AUR-08", "refuses")
@pytest.mark.parametrize(("column", "value"), [("application_count", -1), ("version", 0)])
def test_the_owner_too_counts_from_nothing_on(db: Person, world: World, column: str, value: int) -> None:
    found = find_out(db, world.ann, version=9)
    assert insight(db, found).version == 1
    with db.refused(f"insights_{column}_check"):
        db.run(f"UPDATE insights SET {column} = %s WHERE id = %s", [value, found])


@pytest.mark.rule("AUR-08", "accepts")
@pytest.mark.rule("AUR-08", "refuses")
@pytest.mark.parametrize("role", ["authenticated", "service_role"])
def test_what_the_database_counts_is_kept_whatever_is_written(db: Person, world: World, role: str) -> None:
    with db.as_user(world.ann.id) if role == "authenticated" else db.as_service():
        found = find_out(db, world.ann, application_count=9, version=9)
        assert (insight(db, found).application_count, insight(db, found).version) == (0, 1)
        change = (
            "UPDATE insights SET application_count = 9, version = 9, created_at = '2020-01-01', is_pinned = TRUE,"
            " tags = '{a,b}' WHERE id = %s RETURNING *"
        )
        after = db.row(change, [found])
        assert (after.application_count, after.version, after.is_pinned, after.tags) == (0, 1, True, ["a", "b"])
        assert after.created_at == insight(db, found).created_at == db.value("SELECT now()")


@pytest.mark.rule("AUR-08", "accepts")
def test_times_are_the_databases_and_an_import_states_them(db: Person, world: World) -> None:
    with db.as_user(world.ann.id):
        assert insight(db, find_out(db, world.ann, created_at="2020-01-01")).created_at == db.value("SELECT now()")
    with db.as_service():
        found = find_out(db, world.ann, created_at="2020-01-01Z", updated_at="2020-01-01Z")
        assert insight(db, found).created_at.year == 2020
        # To look at it is no change.
        db.run("UPDATE insights SET last_accessed_at = now() WHERE id = %s", [found])
        assert insight(db, found).updated_at.year == 2020
        db.run("UPDATE insights SET is_pinned = TRUE WHERE id = %s", [found])
        assert insight(db, found).updated_at == db.value("SELECT now()")


# Versions


@pytest.mark.rule("AUR-08", "accepts")
@pytest.mark.parametrize("kind", [*KINDS, "global"])
def test_a_new_version_is_numbered_one_higher_and_the_one_before_rests(db: Person, world: World, kind: str) -> None:
    same = {} if kind == "global" else about(world.ann, kind)
    with db.as_user(world.ann.id):
        first = find_out(db, world.ann, **same)
        second = find_out(db, world.ann, previous_version_id=first, version=7, **same)
        third = find_out(db, world.ann, previous_version_id=second, **same)
        chain = db.rows("SELECT id, version, is_active, previous_version_id FROM insights ORDER BY version")
    assert chain == [(first, 1, False, None), (second, 2, False, first), (third, 3, True, second)]


@pytest.mark.rule("AUR-08", "accepts")
def test_what_has_a_newer_version_stays_inactive_whatever_is_written(db: Person, world: World) -> None:
    with db.as_user(world.ann.id):
        first = find_out(db, world.ann)
        second = find_out(db, world.ann, previous_version_id=first)
        db.run("UPDATE insights SET is_active = TRUE")
        assert db.rows("SELECT id FROM insights WHERE is_active") == [(second,)]
        # What merely rests, or has lost its successor, may stand again.
        db.run("UPDATE insights SET is_active = FALSE")
        db.run("DELETE FROM insights WHERE id = %s", [second])
        db.run("UPDATE insights SET is_active = TRUE")
        assert db.value("SELECT is_active FROM insights WHERE id = %s", [first])


@pytest.mark.rule("AUR-08", "accepts")
def test_a_version_and_the_next_come_in_one_statement(db: Person, world: World) -> None:
    first, second = uuid4(), uuid4()
    one = "(%s, %s, %s, 'global', 'recommendation', 'Rest', 'Rest', '{}', 0.5)"
    with db.as_service():
        db.run(
            "INSERT INTO insights (id, previous_version_id, user_id, entity_type, insight_type, title, summary,"
            f" detailed_reasoning, confidence_score) VALUES {one}, {one}",
            [first, None, world.ann.id, second, first, world.ann.id],
        )
        chain = db.rows("SELECT id, version, is_active FROM insights ORDER BY version")
    assert chain == [(first, 1, False), (second, 2, True)]


@pytest.mark.rule("AUR-08", "refuses")
def test_a_new_version_is_of_the_same_user_and_about_the_same(db: Person, world: World) -> None:
    task, other = find_out(db, world.ann, **about(world.ann, "task")), add_task(db, world.ann)
    bobs, bobs_task = find_out(db, world.bob), find_out(db, world.bob, **about(world.bob, "task"))
    for act in (db.as_user(world.ann.id), db.as_service()):
        with act:
            for changed in ({}, about(world.ann, "project"), {"entity_type": "task", "entity_id": other}):
                with db.refused("insights_previous_version_entity_check", "23514"):
                    find_out(db, world.ann, previous_version_id=task, **changed)
            for missing in (bobs, bobs_task, uuid4()):
                with db.refused("insights_previous_version_id_fkey", "23503"):
                    find_out(db, world.ann, previous_version_id=missing)
    assert insight(db, task).is_active
    assert insight(db, bobs).is_active


@pytest.mark.rule("AUR-08", "refuses")
def test_an_insight_has_one_successor(db: Person, world: World) -> None:
    first = find_out(db, world.ann)
    with db.as_user(world.ann.id):
        second = find_out(db, world.ann, previous_version_id=first)
        with db.refused("insights_previous_version_id_key", "23505"):
            find_out(db, world.ann, previous_version_id=first)
        # Nor is one given a predecessor afterwards, or another one.
        other = find_out(db, world.ann)
        for of, previous in ((other, second), (second, other), (first, second)):
            with db.refused("insights_immutable_check"):
                db.run("UPDATE insights SET previous_version_id = %s WHERE id = %s", [previous, of])


@pytest.mark.rule("AUR-08", "refuses")
def test_nothing_precedes_itself(db: Person, world: World) -> None:
    new = uuid4()
    with db.as_user(world.ann.id), db.refused("insights_previous_version_id_fkey"):
        find_out(db, world.ann, id=new, previous_version_id=new)


@pytest.mark.rule("AUR-08", "refuses")
def test_of_two_successors_at_the_same_moment_one_is_refused(connect: Callable[[], Person]) -> None:
    owner, one, two = connect(), connect(), connect()
    ann = build_world(owner).ann
    first = find_out(owner, ann)
    succeed = (
        "INSERT INTO insights (user_id, entity_type, insight_type, title, summary, detailed_reasoning,"
        " confidence_score, previous_version_id)"
        " VALUES (%s, 'global', 'recommendation', 'Rest', 'Rest', '{}', 0.5, %s)"
    )
    with one.as_user(ann.id), two.as_user(ann.id):
        with one.conn.transaction():
            one.run(succeed, [ann.id, first])
            with blocked(two, one, succeed, [ann.id, first]) as second:
                one.run("COMMIT")
        with pytest.raises(psycopg.errors.UniqueViolation, match="insights_previous_version_id_key"):
            second.result()
    assert owner.rows("SELECT version, is_active FROM insights ORDER BY version") == [(1, False), (2, True)]


@pytest.mark.rule("AUR-08", "accepts")
def test_a_successor_keeps_its_number_when_those_before_it_go(db: Person, world: World) -> None:
    with db.as_user(world.ann.id):
        first = find_out(db, world.ann)
        second = find_out(db, world.ann, previous_version_id=first)
        db.run("DELETE FROM insights WHERE id = %s", [first])
        row = insight(db, second)
        assert (row.version, row.previous_version_id, row.is_active, row.user_id) == (2, None, True, world.ann.id)
        assert insight(db, find_out(db, world.ann, previous_version_id=second)).version == 3


# What people make of them


@pytest.mark.rule("AUR-08", "accepts")
@pytest.mark.parametrize(("feedback", "counts"), FEEDBACK.items())
@pytest.mark.parametrize("role", ["authenticated", "service_role"])
def test_feedback_is_recorded_and_counted_where_it_applies(
    db: Person, world: World, role: str, feedback: str, counts: int
) -> None:
    found, other = find_out(db, world.ann), find_out(db, world.ann)
    with db.as_user(world.ann.id) if role == "authenticated" else db.as_service():
        given = db.row('SELECT * FROM record_insight_feedback(%s, %s, \'{"why": "tired"}\')', [found, feedback])
        assert given == insight(db, found)
        assert (given.user_feedback, given.feedback_details, given.application_count) == (
            *(feedback, {"why": "tired"}),
            counts,
        )
        assert given.last_accessed_at == given.updated_at == db.value("SELECT now()")
        # What was accepted before stays counted, and the last word stands.
        again = db.row("SELECT * FROM record_insight_feedback(%s, 'modified')", [found])
        assert (again.user_feedback, again.feedback_details, again.application_count) == ("modified", None, counts + 1)
        assert insight(db, other).user_feedback is None


@pytest.mark.rule("AUR-08", "accepts")
def test_feedback_is_given_by_name(db: Person, world: World) -> None:
    found = find_out(db, world.ann)
    with db.as_user(world.ann.id):
        row = db.row(
            "SELECT * FROM record_insight_feedback(details => '[1]', feedback => 'ignored', id => %s)", [found]
        )
    assert (row.id, row.user_feedback, row.feedback_details) == (found, "ignored", [1])


@pytest.mark.rule("AUR-08", "refuses")
@pytest.mark.parametrize("feedback", [None, "", "Accepted", "liked"])
def test_other_feedback_is_refused(db: Person, world: World, feedback: str | None) -> None:
    found = find_out(db, world.ann)
    for act in (db.as_user(world.ann.id), db.as_service()):
        with act, db.refused("insights_user_feedback_check", "23514"):
            db.run("SELECT record_insight_feedback(%s, %s)", [found, feedback])
    assert insight(db, found).user_feedback is None


@pytest.mark.rule("AUR-08", "refuses")
def test_a_strangers_feedback_is_refused_as_if_there_were_nothing(db: Person, world: World) -> None:
    found = find_out(db, world.ann)
    give = "SELECT record_insight_feedback(%s, 'accepted')"
    with db.as_user(world.bob.id):
        for missing in (found, uuid4(), None):
            with db.refused("insights_pkey", "P0002"):
                db.run(give, [missing])
    with db.as_service(), db.refused("insights_pkey", "P0002"):
        db.run(give, [uuid4()])
    with db.as_anon(), db.refused(sqlstate="42501"):
        db.run(give, [found])
    assert (insight(db, found).user_feedback, insight(db, found).application_count) == (None, 0)


@pytest.mark.rule("AUR-08", "accepts")
def test_feedback_written_into_the_row_is_kept_and_counts_nothing(db: Person, world: World) -> None:
    found = find_out(db, world.ann)
    with db.as_user(world.ann.id):
        db.run("UPDATE insights SET user_feedback = 'accepted' WHERE id = %s", [found])
    assert (insight(db, found).user_feedback, insight(db, found).application_count) == ("accepted", 0)


# When they are over


@pytest.mark.rule("AUR-08", "accepts")
def test_expired_insights_are_deactivated_once(db: Person, world: World) -> None:
    now = db.value("SELECT now()")
    over = {find_out(db, world.ann, expires_at=time) for time in ("2020-01-01", now, "-infinity")}
    over.add(find_out(db, world.bob, expires_at="2020-01-01"))
    rests = find_out(db, world.ann, expires_at="2020-01-01", is_active=False)
    stands = {find_out(db, world.ann, expires_at=time) for time in (None, "2100-01-01", "infinity")}
    with db.as_service():
        assert db.value("SELECT expire_insights()") == len(over)
        assert db.value("SELECT expire_insights()") == 0
        active = {row.id: row.is_active for row in db.rows("SELECT id, is_active FROM insights")}
    assert active == dict.fromkeys([*over, rests], False) | dict.fromkeys(stands, True)


@pytest.mark.rule("AUR-08", "refuses")
def test_insights_are_not_expired_by_users(db: Person, world: World) -> None:
    with db.as_user(world.ann.id), db.refused(sqlstate="42501"):
        db.run("SELECT expire_insights()")


@pytest.mark.rule("AUR-08", "accepts")
@pytest.mark.rule("AUR-21", "accepts")
def test_the_job_expires_them(db: Person, world: World) -> None:
    found = find_out(db, world.ann, expires_at="2020-01-01")
    command = db.value("SELECT command FROM jobs WHERE command ~ 'expire_insights'")
    # It runs with any search_path.
    db.run("SET LOCAL search_path = pg_catalog")
    db.run(command)
    db.run(f'SET LOCAL search_path = "{db.schema}", platform, pg_temp')
    assert not insight(db, found).is_active
