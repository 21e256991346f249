"""User progress: totals that the database keeps for life, milestones without duplicates, one row per user and app."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest

from tests.hugo.world import World, begin, build_world, past_conversation, say
from tests.people import Person, blocked, insert


def start(db: Person, user: UUID, app: UUID, **columns: object) -> UUID:
    """Create a progress row and return its id."""
    return insert(db, "user_progress", user_id=user, app_id=app, **columns)


def totals(db: Person, user: UUID, app: UUID) -> tuple[int, int]:
    """Conversations and messages, as the user's progress in an app has them."""
    return tuple(
        db.row(
            "SELECT total_conversations, total_messages FROM user_progress WHERE user_id = %s AND app_id = %s",
            [user, app],
        )
    )


@pytest.fixture
def second_app(db: Person, world: World) -> UUID:
    db.run("UPDATE knowledge_bases SET app_ids = '{coach,mentor}'")
    return insert(db, "apps", app_id="mentor", display_name="Mentor", domain="career", knowledge_base_ids=["coach_kb"])


@pytest.mark.rule("HUGO-28", "accepts")
def test_totals_follow_what_a_user_does(db: Person, world: World, second_app: UUID) -> None:
    start(db, world.ann, second_app)
    start(db, world.bob, world.app)
    with db.as_user(world.ann):
        start(db, world.ann, world.app)
        assert totals(db, world.ann, world.app) == (0, 0)
        first = begin(db, world.ann, world.app)
        assert totals(db, world.ann, world.app) == (1, 0)
        say(db, first)
        say(db, first, role="assistant")
        assert totals(db, world.ann, world.app) == (1, 2)
        say(db, begin(db, world.ann, world.app))
        assert totals(db, world.ann, world.app) == (2, 3)
        assert totals(db, world.ann, second_app) == (0, 0)
    assert totals(db, world.bob, world.app) == (0, 0)


@pytest.mark.rule("HUGO-28", "accepts")
def test_bulk_counts_each_user_and_app(db: Person, world: World, second_app: UUID) -> None:
    owners = [(world.ann, world.app), (world.ann, second_app), (world.bob, world.app)]
    for user, app in owners:
        start(db, user, app)
    for times, (user, app) in enumerate(owners, start=1):
        db.run(
            "INSERT INTO conversations (session_id, user_id, app_id)"
            " SELECT gen_random_uuid(), %s, %s FROM generate_series(1, %s)",
            [user, app, times],
        )
    db.run(
        "INSERT INTO conversations (session_id, user_id, app_id)"
        " SELECT gen_random_uuid(), up.user_id, up.app_id FROM user_progress AS up, generate_series(1, 2)"
    )
    with db.as_service():
        db.run(
            "INSERT INTO messages (conversation_id, role, content)"
            " SELECT c.id, 'user', 'Hello' FROM conversations AS c, generate_series(1, 10)"
        )
    assert [totals(db, *owner) for owner in owners] == [(3, 30), (4, 40), (5, 50)]


@pytest.mark.rule("HUGO-28", "accepts")
def test_a_row_that_comes_later_counts_what_was_there(db: Person, world: World, second_app: UUID) -> None:
    for user, app, messages in ((world.ann, world.app, 3), (world.ann, second_app, 1), (world.bob, world.app, 2)):
        conversation = begin(db, user, app)
        for _ in range(messages):
            say(db, conversation)
    begin(db, world.ann, world.app)
    with db.as_user(world.ann):
        start(db, world.ann, world.app)
    with db.as_service():
        db.run(
            "INSERT INTO user_progress (user_id, app_id, total_messages)"
            " SELECT u.id, a.id, 1000 FROM users AS u, apps AS a ON CONFLICT DO NOTHING"
        )
    assert totals(db, world.ann, world.app) == (2, 3)
    assert totals(db, world.ann, second_app) == (1, 1)
    assert totals(db, world.bob, world.app) == (1, 2)
    assert totals(db, world.bob, second_app) == (0, 0)


@pytest.mark.rule("HUGO-28", "accepts")
def test_deleting_and_archiving_lower_no_total(db: Person, world: World) -> None:
    start(db, world.ann, world.app)
    past_conversation(db, world.ann, world.app, "91 days", messages=2)
    gone, kept = begin(db, world.ann, world.app), begin(db, world.ann, world.app)
    say(db, gone)
    say(db, kept)
    with db.as_user(world.ann):
        assert db.run("DELETE FROM conversations WHERE id = %s", [gone]) == 1
        assert db.run("DELETE FROM messages WHERE conversation_id = %s", [kept]) == 1
    with db.as_service():
        db.run("SELECT archive_old_conversations()")
    assert db.value("SELECT count(*) FROM archived_conversations") == 1
    assert totals(db, world.ann, world.app) == (3, 4)


@pytest.mark.rule("HUGO-28", "accepts")
def test_a_row_that_comes_later_counts_the_archive_too(db: Person, world: World) -> None:
    past_conversation(db, world.ann, world.app, "91 days", messages=2)
    past_conversation(db, world.bob, world.app, "91 days", messages=5)
    say(db, begin(db, world.ann, world.app))
    db.run("SELECT archive_old_conversations()")
    with db.as_user(world.ann):
        start(db, world.ann, world.app)
        assert totals(db, world.ann, world.app) == (2, 3)


@pytest.mark.rule("HUGO-28", "refuses")
@pytest.mark.parametrize("as_service", [False, True])
def test_totals_that_a_client_sends_are_passed_over(db: Person, world: World, as_service: bool) -> None:
    say(db, begin(db, world.ann, world.app))
    upsert = (
        "INSERT INTO user_progress (user_id, app_id, total_conversations, total_messages, current_focus_area)"
        " VALUES (%s, %s, 50, NULL, 'trust')"
        " ON CONFLICT (user_id, app_id) DO UPDATE SET total_conversations = 60, total_messages = NULL,"
        " current_focus_area = 'fear'"
    )
    with db.as_service() if as_service else db.as_user(world.ann):
        for focus in ("trust", "fear"):
            assert db.run(upsert, [world.ann, world.app]) == 1
            assert totals(db, world.ann, world.app) == (1, 1)
            assert db.value("SELECT current_focus_area FROM user_progress") == focus


@pytest.mark.rule("HUGO-28", "refuses")
@pytest.mark.parametrize("column", ["total_conversations", "total_messages"])
def test_no_total_is_negative(db: Person, world: World, column: str) -> None:
    start(db, world.ann, world.app)
    assert db.run(f"UPDATE user_progress SET {column} = 0") == 1
    with db.refused(f"up_{column}_check"):
        db.run(f"UPDATE user_progress SET {column} = -1")
    with db.refused(sqlstate="23502"):
        db.run(f"UPDATE user_progress SET {column} = NULL")


@pytest.mark.rule("HUGO-28", "accepts")
@pytest.mark.parametrize("milestones", [[], ["first_week"], ["a", "b", "A"], None])
def test_different_milestones_are_accepted(db: Person, world: World, milestones: list[str] | None) -> None:
    with db.as_user(world.ann):
        start(db, world.ann, world.app, milestones_reached=milestones)
        assert db.value("SELECT milestones_reached FROM user_progress") == milestones


@pytest.mark.rule("HUGO-28", "refuses")
@pytest.mark.parametrize("milestones", [["a", "a"], ["a", "b", "a"], [None], ["a", None], ["", ""]])
def test_repeated_milestones_are_refused(db: Person, world: World, milestones: list[str | None]) -> None:
    with db.as_user(world.ann):
        with db.refused("up_milestones_check"):
            start(db, world.ann, world.app, milestones_reached=milestones)
        start(db, world.ann, world.app)
        with db.refused("up_milestones_check"):
            db.run("UPDATE user_progress SET milestones_reached = %s", [milestones])


@pytest.mark.rule("HUGO-28", "refuses")
def test_a_second_row_of_a_user_in_an_app_is_refused(db: Person, world: World) -> None:
    with db.as_user(world.ann):
        start(db, world.ann, world.app)
        with db.refused("up_user_app_idx"):
            start(db, world.ann, world.app)


@pytest.mark.rule("HUGO-28", "refuses")
def test_a_row_stays_with_its_user_and_app(db: Person, world: World, second_app: UUID) -> None:
    start(db, world.ann, world.app)
    for column, value in (("id", world.ann), ("user_id", world.bob), ("app_id", second_app)):
        with db.as_service(), db.refused("up_immutable_check"):
            db.run(f"UPDATE user_progress SET {column} = %s", [value])
    with db.as_user(world.ann):
        assert db.run("UPDATE user_progress SET id = id, user_id = user_id, app_id = app_id") == 1


@pytest.mark.rule("HUGO-28", "refuses")
def test_totals_do_not_move_last_updated_at_and_other_columns_do(db: Person, world: World) -> None:
    with db.as_service():
        start(db, world.ann, world.app, started_at="2001-01-01", last_updated_at="2001-01-01")
    moved = "SELECT last_updated_at = now() FROM user_progress"
    with db.as_user(world.ann):
        say(db, begin(db, world.ann, world.app))
        assert totals(db, world.ann, world.app) == (1, 1)
        assert db.value(moved) is False
        db.run("UPDATE user_progress SET progress_data = '{\"step\": 1}', last_updated_at = '2002-01-01'")
        assert db.value(moved) is True


# Sessions that meet: whichever comes first, nothing is missed and nothing counted twice.


@pytest.mark.rule("HUGO-28", "accepts")
def test_totals_are_exact_when_a_row_is_created_while_its_user_chats(connect: Callable[[], Person]) -> None:
    one, two = connect(), connect()
    world = build_world(one)
    for user, what, first in (
        (world.ann, "conversation", "progress"),
        (world.ann, "conversation", "conversation"),
        (world.bob, "message", "progress"),
        (world.bob, "message", "message"),
    ):
        one.run("DELETE FROM user_progress")
        conversation = begin(one, user, world.app)
        say(one, conversation)
        progress = ("INSERT INTO user_progress (user_id, app_id) VALUES (%s, %s)", [user, world.app])
        add = {
            "conversation": (
                "INSERT INTO conversations (session_id, user_id, app_id) VALUES (gen_random_uuid(), %s, %s)",
                [user, world.app],
            ),
            "message": (
                "INSERT INTO messages (conversation_id, role, content) VALUES (%s, 'user', 'Again')",
                [conversation],
            ),
        }[what]
        earlier, later = (progress, add) if first == "progress" else (add, progress)
        one.run("BEGIN")
        one.run(*earlier)
        with blocked(two, one, *later) as outcome:
            one.run("COMMIT")
        assert outcome.result() == 1
        assert totals(one, user, world.app) == (
            one.value("SELECT count(*) FROM conversations WHERE user_id = %s", [user]),
            one.value("SELECT count(*) FROM messages WHERE user_id = %s", [user]),
        )


@pytest.mark.rule("HUGO-28", "refuses")
def test_what_is_rolled_back_is_not_counted(connect: Callable[[], Person]) -> None:
    one, two = connect(), connect()
    world = build_world(one)
    one.run("BEGIN")
    say(one, begin(one, world.ann, world.app))
    with blocked(
        two, one, "INSERT INTO user_progress (user_id, app_id) VALUES (%s, %s)", [world.ann, world.app]
    ) as outcome:
        one.run("ROLLBACK")
    assert outcome.result() == 1
    assert totals(one, world.ann, world.app) == (0, 0)


@pytest.mark.rule("HUGO-28", "accepts")
def test_two_apps_opened_at_once_do_not_wait_in_a_circle(connect: Callable[[], Person]) -> None:
    """Two sessions, each of which writes a conversation and then the first progress of the same user."""
    one, two = connect(), connect()
    world = build_world(one)
    one.run("UPDATE knowledge_bases SET app_ids = '{coach,mentor}'")
    mentor = insert(
        one, "apps", app_id="mentor", display_name="Mentor", domain="career", knowledge_base_ids=["coach_kb"]
    )
    script = """
        INSERT INTO conversations (session_id, user_id, app_id) VALUES (gen_random_uuid(), '{user}', '{app}');
        INSERT INTO user_progress (user_id, app_id) VALUES ('{user}', '{app}')
    """
    one.run("BEGIN")
    begin(one, world.ann, world.app)
    with blocked(two, one, script.format(user=world.ann, app=mentor)) as outcome:
        start(one, world.ann, world.app)
        one.run("COMMIT")
    outcome.result()
    assert totals(one, world.ann, world.app) == totals(one, world.ann, mentor) == (1, 0)
