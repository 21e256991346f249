"""Workspaces and projects: whose they are, who changes what is paid for, and when they were last changed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.people import Person, at_once, blocked, insert
from tests.thinking_partner.world import World, build_world, open_session, remember

GET = "SELECT * FROM get_or_create_workspace()"
GET_NAMED = "SELECT * FROM get_or_create_workspace(%s)"

PAID = {
    "subscription_status": "pro",
    "subscription_expires_at": "2100-01-01Z",
    "subscription_cancelled_at": "2026-01-01Z",
    "lemonsqueezy_customer_id": "c-1",
    "lemonsqueezy_subscription_id": "s-1",
}
FREE = dict.fromkeys(PAID, None) | {"subscription_status": "free"}


def newcomer(db: Person) -> UUID:
    """Insert a user who has no workspace yet."""
    return db.value("INSERT INTO auth.users (email) VALUES ('new@example.org') RETURNING id")


def workspace(db: Person, id: UUID) -> Any:
    return db.row("SELECT * FROM workspaces WHERE id = %s", [id])


def paid(db: Person, id: UUID) -> dict[str, Any]:
    """What stands in the columns that are paid for, as text."""
    columns = ", ".join(f"{name}::text" for name in PAID)
    return db.row(f"SELECT {columns} FROM workspaces WHERE id = %s", [id])._asdict()


def change(db: Person, which: UUID, **columns: Any) -> int:
    settings = ", ".join(f"{name} = %({name})s" for name in columns)
    return db.run(f"UPDATE workspaces SET {settings} WHERE id = %(which)s", {**columns, "which": which})


def subscribe(db: Person, id: UUID) -> None:
    """Let a workspace be paid for."""
    with db.as_service():
        assert change(db, id, **PAID) == 1


# Having a workspace


@pytest.mark.rule("TP-18", "accepts")
def test_who_has_no_workspace_gets_one(db: Person) -> None:
    user = newcomer(db)
    with db.as_user(user):
        made = db.row(GET)
        assert (made.name, made.owner_id, made.subscription_status) == ("My Workspace", user, "free")
        assert made == workspace(db, made.id)
        assert db.row(GET) == db.row(GET_NAMED, ["Other"]) == made
        assert db.value("SELECT count(*) FROM workspaces") == 1


@pytest.mark.rule("TP-18", "accepts")
def test_a_workspace_is_made_under_the_name_wanted(db: Person) -> None:
    with db.as_user(newcomer(db)):
        assert db.row(GET_NAMED, ["Ours"]).name == "Ours"


@pytest.mark.rule("TP-18", "accepts")
def test_who_has_several_workspaces_gets_the_first(db: Person) -> None:
    user = newcomer(db)
    # The first by time has the last id.
    ids = zip((2026, 2025, 2024), sorted(uuid4() for _ in range(3)), strict=True)
    made = {
        year: insert(db, "workspaces", id=id, name="W", owner_id=user, created_at=f"{year}-01-01Z") for year, id in ids
    }
    with db.as_user(user):
        assert db.row(GET).id == made[2024]
    twins = sorted(insert(db, "workspaces", name="W", owner_id=user, created_at="2020-01-01Z") for _ in range(4))
    with db.as_user(user):
        assert db.row(GET).id == twins[0]


@pytest.mark.rule("TP-18", "refuses")
def test_who_is_no_user_gets_no_workspace(db: Person, world: World) -> None:
    before = db.value("SELECT count(*) FROM workspaces")
    with db.as_service(), db.refused("workspaces_user_check", "42501") as caught:
        db.run(GET)
    assert "insert into workspaces" in caught.value.diag.message_hint
    with db.as_anon(), db.refused(sqlstate="42501"):
        db.run(GET)
    with db.as_user(uuid4()), db.refused("workspaces_owner_id_fkey", "23503"):
        db.run(GET)
    assert db.value("SELECT count(*) FROM workspaces") == before


@pytest.mark.rule("TP-18", "refuses")
def test_a_workspace_has_a_name(db: Person, world: World) -> None:
    user = newcomer(db)
    with db.as_user(user):
        for name in ("", " \n", "\u200b"):
            with db.refused("workspaces_name_check", "23514"):
                db.run(GET_NAMED, [name])
            with db.refused("workspaces_name_check", "23514"):
                insert(db, "workspaces", name=name, owner_id=user)
        with db.refused(sqlstate="23502"):
            db.run(GET_NAMED, [None])
    with db.as_user(world.ann.id), db.refused("workspaces_name_check", "23514"):
        change(db, world.ann.workspace, name=" ")


@pytest.mark.rule("TP-18", "accepts")
def test_fifty_who_ask_at_once_get_the_same_workspace(connect: Callable[[], Person]) -> None:
    owner = connect()
    user = newcomer(owner)
    with ExitStack() as stack:
        people = [stack.enter_context(connect().as_user(user)) for _ in range(50)]
        given = at_once(people, GET)
    assert set(given) == set(owner.rows("SELECT * FROM workspaces"))
    assert len(set(given)) == 1


@pytest.mark.rule("TP-18", "refuses")
@pytest.mark.parametrize("end", ["COMMIT", "ROLLBACK"])
def test_who_asks_meanwhile_waits_and_makes_no_second_one(connect: Callable[[], Person], end: str) -> None:
    one, two = connect(), connect()
    user, other = newcomer(one), build_world(one).ann.id
    with one.as_user(user), two.as_user(user):
        one.run("BEGIN")
        first = one.row(GET)
        with blocked(two, one, GET) as asked:
            one.run(end)
        assert asked.result() == 1
        assert two.row("SELECT * FROM workspaces") == two.row(GET)
        assert (two.row(GET) == first) is (end == "COMMIT")
    # Nobody else waits.
    two.run("SET lock_timeout = '1s'")
    with one.as_user(user), two.as_user(other):
        one.run("BEGIN")
        one.run(GET)
        assert two.row(GET).owner_id == other
        one.run("COMMIT")


@pytest.mark.rule("TP-18", "refuses")
@pytest.mark.parametrize("who", ["owner", "service", "database"])
def test_the_owner_never_changes(db: Person, world: World, who: str) -> None:
    with ExitStack() as stack:
        if who == "owner":
            stack.enter_context(db.as_user(world.ann.id))
        elif who == "service":
            stack.enter_context(db.as_service())
        with db.refused("workspaces_immutable_check", "23514"):
            change(db, world.ann.workspace, owner_id=world.bob.id)
        with db.refused("workspaces_immutable_check", "23514"):
            change(db, world.ann.workspace, id=uuid4())
        assert change(db, world.ann.workspace, id=world.ann.workspace, owner_id=world.ann.id, name="Same") == 1
    assert workspace(db, world.ann.workspace).owner_id == world.ann.id


@pytest.mark.rule("TP-18", "refuses")
def test_a_workspace_is_complete(db: Person, world: World) -> None:
    for column in ("name", "owner_id", "subscription_status", "created_at", "updated_at"):
        with db.refused(sqlstate="23502") as caught:
            insert(db, "workspaces", **{"name": "W", "owner_id": world.ann.id, column: None})
        assert caught.value.diag.column_name == column
    with db.as_service():
        for status in ("trial", "Pro", ""):
            with db.refused("workspaces_subscription_status_check", "23514"):
                change(db, world.ann.workspace, subscription_status=status)
        for email in ("nobody", "a b@example.org", ""):
            with db.refused("workspaces_owner_email_check", "23514"):
                change(db, world.ann.workspace, owner_email=email)
        assert change(db, world.ann.workspace, owner_email="ann@example.org", subscription_status="pro") == 1


@pytest.mark.rule("TP-18", "refuses")
def test_nobody_makes_a_workspace_for_somebody_else(db: Person, world: World) -> None:
    # Without RETURNING, which would have to be allowed to see the row.
    with db.as_user(world.ann.id), db.refused(sqlstate="42501"):
        db.run("INSERT INTO workspaces (name, owner_id) VALUES ('W', %s)", [world.bob.id])
    with db.as_service():
        assert workspace(db, insert(db, "workspaces", name="W", owner_id=world.bob.id)).owner_id == world.bob.id


# Projects


@pytest.mark.rule("TP-18", "accepts")
def test_a_project_belongs_to_the_owner_of_its_workspace(db: Person, world: World) -> None:
    with db.as_user(world.ann.id):
        id = insert(db, "projects", name="P", workspace_id=world.ann.workspace)
        assert db.value("SELECT owner_id FROM projects WHERE id = %s", [id]) == world.ann.id
        # It may move to another workspace of the same owner, and goes with it.
        second = insert(db, "workspaces", name="W", owner_id=world.ann.id)
        assert db.run("UPDATE projects SET workspace_id = %s WHERE id = %s", [second, id]) == 1
        assert db.run("DELETE FROM workspaces WHERE id = %s", [second]) == 1
        assert [row.id for row in db.rows("SELECT id FROM projects")] == [world.ann.project]


@pytest.mark.rule("TP-18", "refuses")
def test_a_project_belongs_to_a_workspace_of_ones_own(db: Person, world: World) -> None:
    said = set()
    with db.as_user(world.ann.id):
        for workspace_id in (world.bob.workspace, uuid4(), None):
            with db.refused("projects_workspace_id_fkey", "23503") as caught:
                insert(db, "projects", name="P", workspace_id=workspace_id)
            said.add(str(caught.value))
        with db.refused("projects_workspace_id_fkey", "23503"):
            insert(db, "projects", name="P", workspace_id=world.bob.workspace, owner_id=world.ann.id)
        with db.refused("projects_workspace_id_fkey", "23503"):
            db.run("UPDATE projects SET workspace_id = %s WHERE id = %s", [world.bob.workspace, world.ann.project])
    assert len(said) == 1
    with db.as_service(), db.refused("projects_workspace_id_fkey", "23503"):
        insert(db, "projects", name="P", workspace_id=world.ann.workspace, owner_id=world.bob.id)


@pytest.mark.rule("TP-18", "refuses")
def test_a_project_is_complete_and_keeps_its_owner(db: Person, world: World) -> None:
    for column in ("name", "created_at", "updated_at"):
        with db.refused(sqlstate="23502") as caught:
            insert(db, "projects", **{"name": "P", "workspace_id": world.ann.workspace, column: None})
        assert caught.value.diag.column_name == column
    with db.refused(sqlstate="23502"):
        insert(db, "projects", name="P", workspace_id=None, owner_id=world.ann.id)
    with db.as_user(world.ann.id), db.refused("projects_name_check", "23514"):
        insert(db, "projects", name="\t", workspace_id=world.ann.workspace)
    with db.as_service():
        for setting in (f"owner_id = '{world.bob.id}'", f"id = '{uuid4()}'"):
            with db.refused("projects_immutable_check", "23514"):
                db.run(f"UPDATE projects SET {setting} WHERE id = %s", [world.ann.project])
        assert db.run("UPDATE projects SET id = id, owner_id = owner_id, name = 'Same'") == 2


# What is paid for


@pytest.mark.rule("TP-25", "refuses")
@pytest.mark.parametrize("column", PAID)
def test_the_owner_does_not_change_what_is_paid_for(db: Person, world: World, column: str) -> None:
    id = world.ann.workspace
    with db.as_user(world.ann.id), db.refused("workspaces_subscription_authority_check", "42501"):
        change(db, id, **{column: PAID[column]})
    subscribe(db, id)
    before = paid(db, id)
    others = {"subscription_status": "free", "subscription_expires_at": "2200-01-01Z", "name": "Mine"}
    with db.as_user(world.ann.id):
        for value in (FREE[column], others.get(column, "2000-01-01Z")):
            with db.refused("workspaces_subscription_authority_check", "42501"):
                change(db, id, **{column: value})
    assert paid(db, id) == before


@pytest.mark.rule("TP-25", "accepts")
@pytest.mark.parametrize("column", PAID)
def test_a_service_changes_what_is_paid_for(db: Person, world: World, column: str) -> None:
    with db.as_service():
        assert change(db, world.ann.workspace, **{column: PAID[column]}) == 1
        assert paid(db, world.ann.workspace)[column] is not None
        assert paid(db, world.bob.workspace) == FREE


@pytest.mark.rule("TP-25", "accepts")
def test_the_owner_changes_everything_else(db: Person, world: World) -> None:
    subscribe(db, world.ann.workspace)
    before = paid(db, world.ann.workspace)
    with db.as_user(world.ann.id):
        assert change(db, world.ann.workspace, name="New", owner_email="ann@example.org") == 1
        row = workspace(db, world.ann.workspace)
        assert (row.name, row.owner_email) == ("New", "ann@example.org")
        # The present values may be sent along.
        same = {name: getattr(row, name) for name in PAID}
        assert change(db, world.ann.workspace, name="Newer", **same) == 1
    assert paid(db, world.ann.workspace) == before


@pytest.mark.rule("TP-25", "accepts")
@pytest.mark.parametrize("status", ["free", "pro"])
def test_the_owner_may_send_a_whole_workspace_back(db: Person, world: World, status: str) -> None:
    if status == "pro":
        subscribe(db, world.ann.workspace)
    with db.as_user(world.ann.id):
        before = workspace(db, world.ann.workspace)
        row = {**before._asdict(), "name": "New"}
        names, marks = ", ".join(row), ", ".join(f"%({name})s" for name in row)
        changes = ", ".join(f"{name} = excluded.{name}" for name in row)
        upsert = f"INSERT INTO workspaces ({names}) VALUES ({marks}) ON CONFLICT (id) DO UPDATE SET {changes}"
        assert db.run(upsert, row) == 1
        assert workspace(db, world.ann.workspace) == before._replace(name="New")
        with db.refused("workspaces_subscription_authority_check", "42501"):
            db.run(upsert, {**row, "lemonsqueezy_customer_id": "another"})


@pytest.mark.rule("TP-25", "refuses")
@pytest.mark.parametrize("column", PAID)
def test_nobody_begins_with_what_they_did_not_pay_for(db: Person, world: World, column: str) -> None:
    row = {"name": "W", "owner_id": world.ann.id}
    with db.as_user(world.ann.id):
        with db.refused("workspaces_subscription_authority_check", "42501"):
            insert(db, "workspaces", **row, **{column: PAID[column]})
        assert paid(db, insert(db, "workspaces", **row, **FREE)) == FREE
    with db.as_service():
        assert paid(db, insert(db, "workspaces", **row, **{column: PAID[column]})) != FREE


@pytest.mark.rule("TP-25", "refuses")
def test_what_others_pay_for_is_out_of_sight(db: Person, world: World) -> None:
    with db.as_user(world.ann.id):
        assert change(db, world.bob.workspace, **PAID) == 0
        assert change(db, world.bob.workspace, name="Mine") == 0
    with db.as_anon(), db.refused(sqlstate="42501"):
        change(db, world.bob.workspace, name="Mine")
    assert paid(db, world.bob.workspace) == FREE


# When something was last changed


CHANGES = {
    "memories": "content = 'Likes coffee'",
    "chat_sessions": "context_metadata = '{}'",
    "workspaces": "name = 'New'",
    "projects": "description = 'New'",
}
LONG_AGO = "2026-01-01 10:00Z"


def made_long_ago(db: Person, world: World, table: str) -> UUID:
    times = {"created_at": LONG_AGO, "updated_at": LONG_AGO}
    match table:
        case "memories":
            return remember(db, world.ann, **times)
        case "chat_sessions":
            return open_session(db, world.ann, **times)
        case "workspaces":
            return insert(db, "workspaces", name="W", owner_id=world.ann.id, **times)
        case _:
            return insert(db, "projects", name="P", workspace_id=world.ann.workspace, **times)


@pytest.mark.rule("TP-27", "accepts")
@pytest.mark.parametrize("table", CHANGES)
@pytest.mark.parametrize("who", ["user", "service"])
def test_updated_at_moves(db: Person, world: World, who: str, table: str) -> None:
    id, other = made_long_ago(db, world, table), made_long_ago(db, world, table)
    with db.as_user(world.ann.id) if who == "user" else db.as_service():
        assert db.run(f"UPDATE {table} SET {CHANGES[table]} WHERE id = %s", [id]) == 1
        times = f"SELECT updated_at = now() AS moved, created_at = %s AS kept FROM {table} WHERE id = %s"
        assert db.row(times, [LONG_AGO, id]) == (True, True)
        assert db.row(times, [LONG_AGO, other]) == (False, True)


@pytest.mark.rule("TP-27", "refuses")
@pytest.mark.parametrize("table", CHANGES)
def test_updated_at_is_for_the_database_to_say(db: Person, world: World, table: str) -> None:
    id = made_long_ago(db, world, table)
    sent = f"UPDATE {table} SET updated_at = '2001-01-01Z', created_at = '2001-01-01Z' WHERE id = %s"
    for acting in (db.as_user(world.ann.id), db.as_service()):
        with acting:
            assert db.run(sent, [id]) == 1
            row = db.row(
                f"SELECT updated_at = now() AS moved, created_at = '{LONG_AGO}' AS kept FROM {table} WHERE id = '{id}'"
            )
            assert row == (True, True)


@pytest.mark.rule("TP-27", "refuses")
@pytest.mark.parametrize("table", CHANGES)
def test_a_user_makes_nothing_in_the_past(db: Person, world: World, table: str) -> None:
    with db.as_user(world.ann.id):
        id = made_long_ago(db, world, table)
        row = db.row(f"SELECT created_at, updated_at FROM {table} WHERE id = %s", [id])
        assert row.created_at == row.updated_at == db.value("SELECT now()")
    with db.as_service():
        id = made_long_ago(db, world, table)
        assert db.value(f"SELECT created_at = updated_at AND created_at = '{LONG_AGO}' FROM {table} WHERE id = '{id}'")
