"""The jobs: their schedules, that their commands run whoever's search_path is set, and who may change them."""

from __future__ import annotations

import pytest

from tests.cron import with_pg_cron
from tests.hugo.world import World, past_conversation
from tests.people import Person

SCHEDULES = {
    "close-inactive-conversations": "0 1 * * *",
    "archive-conversations": "0 2 * * *",
    "expire-memories": "0 3 * * *",
    "decay-memories": "0 4 1 * *",
}


@pytest.mark.rule("HUGO-36", "accepts")
def test_exactly_these_jobs_are_scheduled(db: Person) -> None:
    with db.as_service():
        assert dict(db.rows("SELECT name, schedule FROM jobs")) == SCHEDULES


@pytest.mark.rule("HUGO-36", "accepts")
@pytest.mark.parametrize(
    ("job", "effect"),
    [
        ("close-inactive-conversations", "SELECT count(*) FROM conversations WHERE status = 'active'"),
        ("archive-conversations", "SELECT count(*) FROM conversations WHERE status = 'closed'"),
        ("expire-memories", "SELECT count(*) FROM user_memories WHERE content = 'Expired'"),
        ("decay-memories", "SELECT count(*) FROM user_memories WHERE importance = 0.50"),
    ],
)
def test_a_job_does_its_work_under_any_search_path(db: Person, world: World, job: str, effect: str) -> None:
    past_conversation(db, world.ann, world.app, closed="100 days")
    db.run(
        "INSERT INTO conversations (session_id, user_id, app_id, created_at, last_message_at, activated_at)"
        " SELECT gen_random_uuid(), %s, %s, t, t, t FROM (SELECT now() - interval '31 days') AS x (t)",
        [world.ann, world.app],
    )
    db.run(
        "INSERT INTO user_memories (user_id, app_id, memory_type, content, importance, created_at, expires_at)"
        " SELECT %s, %s, 'insight', c, i, now() - interval '40 days', e FROM (VALUES"
        " ('Expired', 0.00, now() - interval '1 day'), ('Kept', 0.50, now() + interval '1 day')) AS x (c, i, e)",
        [world.ann, world.app],
    )
    assert db.value(effect) == 1
    command = db.value("SELECT command FROM jobs WHERE name = %s", [job])
    db.run("CREATE TEMPORARY TABLE conversations (id uuid) ON COMMIT DROP")
    db.run("CREATE TEMPORARY TABLE user_memories (id uuid) ON COMMIT DROP")
    db.run("SET LOCAL search_path = pg_temp")
    db.run(command)
    db.run(f'SET LOCAL search_path = "{db.schema}", platform, pg_temp')
    assert db.value(effect) == 0


@pytest.mark.rule("HUGO-36", "accepts")
def test_pg_cron_runs_the_jobs_of_each_instance_under_its_name(db: Person) -> None:
    with_pg_cron(db)
    db.run("CREATE TEMPORARY TABLE declared ON COMMIT DROP AS SELECT * FROM jobs")
    db.run("DELETE FROM jobs")
    db.run("INSERT INTO jobs SELECT * FROM declared")
    scheduled = db.rows("SELECT jobname, schedule FROM cron.job WHERE starts_with(jobname, %s)", [f"{db.schema}:"])
    assert dict(scheduled) == {f"{db.schema}:{name}": schedule for name, schedule in SCHEDULES.items()}


@pytest.mark.rule("HUGO-36", "refuses")
@pytest.mark.parametrize("schedule", ["", "daily", "* * * *", "60 * * * *", "30 seconds", "@daily"])
def test_a_schedule_that_cron_does_not_take_is_refused(db: Person, schedule: str) -> None:
    with db.refused("jobs_schedule_check"):
        db.run("UPDATE jobs SET schedule = %s WHERE name = 'decay-memories'", [schedule])


@pytest.mark.rule("HUGO-36", "refuses")
def test_a_job_of_the_same_name_is_refused(db: Person) -> None:
    with db.refused("jobs_pkey"):
        db.run("INSERT INTO jobs VALUES ('decay-memories', '0 0 * * *', 'SELECT 1', 'Again')")


@pytest.mark.rule("HUGO-36", "refuses")
def test_no_api_role_changes_jobs_and_users_do_not_see_them(db: Person, world: World) -> None:
    with db.as_service():
        for sql in (
            "UPDATE jobs SET command = 'SELECT 1'",
            "DELETE FROM jobs",
            "INSERT INTO jobs VALUES ('mine', '* * * * *', 'SELECT 1', 'Mine')",
        ):
            with db.refused(sqlstate="42501"):
                db.run(sql)
    for person in (db.as_user(world.ann), db.as_anon()):
        with person, db.refused(sqlstate="42501"):
            db.run("SELECT name FROM jobs")
