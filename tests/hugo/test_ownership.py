"""What belongs to one person stays closed to another, who knows every id and tries everything.

Ann is the one who tries, Bob the one who is to notice nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from tests.hugo.world import World, begin, past_conversation, say
from tests.people import Person, insert

# Tables of which each row belongs to one person, with the columns that say to whom or to what.
OWNED = {
    "users": ["id"],
    "conversations": ["user_id"],
    "messages": ["conversation_id", "user_id"],
    "user_progress": ["user_id"],
    "user_memories": ["conversation_id", "user_id"],
    "archived_conversations": ["user_id"],
    "archived_messages": ["conversation_id", "user_id"],
}
# Tables that users read, as far as they may, and only the service writes.
SHARED = ["apps", "knowledge_bases", "knowledge_categories", "knowledge_entries", "personality_schemas"]
# Tables that users have nothing to do with.
CLOSED = ["job_runs", "jobs", "knowledge_sync_queue"]

# Where users may add rows of their own, and what they may change in them.
WRITABLE = {
    "conversations": "title",
    "messages": "content",
    "user_progress": "current_focus_area",
    "user_memories": "content",
}


def everything_of(db: Person, user: UUID, app: UUID) -> dict[str, Any]:
    """Give the user a row in every table that holds rows of people, and return one id for each table."""
    archived = past_conversation(db, user, app, closed="100 days", messages=1)
    with db.as_service():
        db.run("SELECT archive_old_conversations()")
    conversation = begin(db, user, app, title="Private")
    return {
        "users": user,
        "conversations": conversation,
        "messages": say(db, conversation, "Private"),
        "user_progress": insert(db, "user_progress", user_id=user, app_id=app, current_focus_area="Private"),
        "user_memories": insert(
            db,
            "user_memories",
            user_id=user,
            app_id=app,
            conversation_id=conversation,
            memory_type="insight",
            content="Private",
        ),
        "archived_conversations": archived,
        "archived_messages": db.value("SELECT id FROM archived_messages WHERE user_id = %s", [user]),
    }


@pytest.fixture
def anns(db: Person, world: World) -> dict[str, Any]:
    return everything_of(db, world.ann, world.app)


@pytest.fixture
def bobs(db: Person, world: World) -> Iterator[dict[str, Any]]:
    """What Bob has; afterwards all of it must be as it was."""
    rows = everything_of(db, world.bob, world.app)

    def contents() -> dict[str, Any]:
        return {
            table: db.rows(f"SELECT * FROM {table} WHERE {'id' if table == 'users' else 'user_id'} = %s", [world.bob])
            for table in OWNED
        }

    before = contents()
    assert all(before.values())
    yield rows
    assert contents() == before


def test_every_table_is_accounted_for(db: Person) -> None:
    tables = db.rows(
        "SELECT relname FROM pg_class WHERE relnamespace = %s::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'f')"
        # The runner's own, which are closed like the others: see the next test.
        " AND relname !~ '^_?(yoyo|companion|runner)'",
        [db.schema],
    )
    assert {table.relname for table in tables} == {*OWNED, *SHARED, *CLOSED}


def test_tables_without_a_grant_are_closed(db: Person, world: World) -> None:
    granted = "has_table_privilege(%s, c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')"
    for role, readable in (("anon", {"apps"}), ("authenticated", {*OWNED, *SHARED})):
        tables = db.rows(
            "SELECT c.relname FROM pg_class AS c"
            f" WHERE c.relnamespace = %s::regnamespace AND c.relkind = 'r' AND {granted}",
            [db.schema, role],
        )
        assert {table.relname for table in tables} == readable
    for table in CLOSED:
        for statement in (f"SELECT FROM {table}", f"DELETE FROM {table}", f"INSERT INTO {table} DEFAULT VALUES"):
            with db.as_user(world.ann), db.refused(sqlstate="42501"):
                db.run(statement)


@pytest.mark.rule("HUGO-22", "accepts")
@pytest.mark.parametrize("table", OWNED)
def test_everybody_sees_and_may_remove_their_own(
    db: Person, world: World, anns: dict[str, Any], bobs: dict[str, Any], table: str
) -> None:
    with db.as_user(world.ann):
        assert [row.id for row in db.rows(f"SELECT id FROM {table}")] == [anns[table]]
        if table in WRITABLE:
            assert db.run(f"UPDATE {table} SET {WRITABLE[table]} = 'Mine'") == 1
            assert db.value(f"SELECT {WRITABLE[table]} FROM {table}") == "Mine"
        if table != "users":
            assert db.run(f"DELETE FROM {table}") == 1


@pytest.mark.rule("HUGO-22", "accepts")
def test_the_service_sees_everything(db: Person, world: World, anns: dict[str, Any], bobs: dict[str, Any]) -> None:
    insert(db, "knowledge_entries", knowledge_base_id=world.kb, title="Title", content="Content")
    insert(db, "job_runs", job="expire-memories")
    for table in (*OWNED, *SHARED, *CLOSED):
        count = f"SELECT count(*) FROM {table}"
        everything = db.value(count)
        assert everything or table == "personality_schemas"
        with db.as_service():
            assert db.value(count) == everything, table


@pytest.mark.rule("HUGO-22", "refuses")
@pytest.mark.parametrize("table", OWNED)
def test_nobody_reads_a_row_of_another(db: Person, world: World, bobs: dict[str, Any], table: str) -> None:
    victim = bobs[table]
    with db.as_user(world.ann):
        assert db.rows(f"SELECT * FROM {table} WHERE id = %s", [victim]) == []
        assert db.rows(f"SELECT * FROM {table} AS t WHERE to_jsonb(t)::text LIKE %s", [f"%{world.bob}%"]) == []
        assert db.value(f"SELECT count(*) FROM {table} WHERE id = %s", [victim]) == 0
        # An error made of a row that one may not see would tell what is in it.
        assert db.rows(f"SELECT 1 / (id <> %s)::integer FROM {table} WHERE id = %s", [victim, victim]) == []
    with db.as_user(uuid4()):
        assert db.rows(f"SELECT * FROM {table}") == []
    with db.as_anon(), db.refused(sqlstate="42501"):
        db.run(f"SELECT * FROM {table}")


@pytest.mark.rule("HUGO-22", "refuses")
@pytest.mark.parametrize("table", OWNED)
def test_nobody_changes_or_removes_a_row_of_another(db: Person, world: World, bobs: dict[str, Any], table: str) -> None:
    changes = [f"UPDATE {table} SET id = id", f"DELETE FROM {table}", f"SELECT 1 FROM {table} FOR UPDATE"]
    for change in changes:
        head, _, tail = change.partition(" FOR ")
        one = f"{head} WHERE id = %s" + (f" FOR {tail}" if tail else "")
        for statement, values in ((change, None), (one, [bobs[table]]), (one, [uuid4()])):
            with db.as_user(world.ann), unchanged(db):
                touched = attempt(db, statement, values)
                # In `users` Ann herself is there, and whole tables may be closed to writing.
                assert touched in (0, "42501") or (touched == 1 and table == "users" and values is None)
            with db.as_anon(), db.refused(sqlstate="42501"):
                db.run(statement, values)


@contextmanager
def unchanged(db: Person) -> Iterator[None]:
    """Undo what the block has done."""
    with db.conn.transaction(force_rollback=True):
        yield


def attempt(db: Person, statement: str, values: Any = None) -> int | str:
    """Run a statement and return the number of rows it touched, or the SQLSTATE by which it is refused."""
    try:
        with db.conn.transaction():
            return db.run(statement, values)
    except psycopg.Error as error:
        return str(error.sqlstate)


def telling(db: Person, statement: str, values: dict[str, Any]) -> tuple[str | None, ...]:
    """Run a statement that must be refused, and return all that is said about it, but for what was given with it."""
    with pytest.raises(psycopg.Error) as caught, db.conn.transaction():
        db.run(statement, values)
    diag = caught.value.diag
    said = [diag.sqlstate, diag.constraint_name, diag.message_primary, diag.message_detail, diag.message_hint]
    for value in values.values():
        said = [part and part.replace(str(value), "…") for part in said]
    return tuple(said)


def copied(db: Person, table: str, row: UUID, *given: str) -> str:
    """Write the INSERT of a row that there is, with parameters for the columns given."""
    columns = db.rows(
        "SELECT attname AS name FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND attgenerated = ''",
        [table],
    )
    names = [column.name for column in columns]
    quoted = ", ".join(f"quote_nullable({name}) AS {name}" for name in names)
    literals = db.row(f"SELECT {quoted} FROM {table} WHERE id = %s", [row])._asdict()
    values = [f"%({name})s" if name in given else literals[name] for name in names]
    return f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join(values)})"


@pytest.mark.rule("HUGO-22", "refuses")
@pytest.mark.parametrize("table", OWNED)
def test_nobody_adds_a_row_to_another(db: Person, world: World, bobs: dict[str, Any], table: str) -> None:
    owner = "id" if table == "users" else "user_id"
    keys = {"id": uuid4(), "session_id": uuid4(), "oriva_user_id": uuid4(), "email": "new@example.org"}
    statement = copied(db, table, bobs[table], owner, *keys)
    with db.as_user(world.ann):
        told = [telling(db, statement, {**keys, owner: user}) for user in (world.bob, uuid4())]
    assert told[0][0] == "42501"
    assert told[0] == told[1]
    with db.as_anon(), db.refused(sqlstate="42501"):
        db.run(statement, {**keys, owner: world.bob})


@pytest.mark.rule("HUGO-22", "refuses")
@pytest.mark.parametrize("table", OWNED)
@pytest.mark.parametrize("as_own", [False, True])
def test_nobody_takes_a_row_over_by_sending_it(
    db: Person, world: World, anns: dict[str, Any], bobs: dict[str, Any], table: str, as_own: bool
) -> None:
    """Bob's row as it is, or a row of Ann's under the id of Bob's, inserted whatever is to happen on conflict."""
    if as_own:
        statement, values = copied(db, table, anns[table], "id"), {"id": bobs[table]}
    else:
        statement, values = copied(db, table, bobs[table]), {}
    for action in ("", " ON CONFLICT DO NOTHING", " ON CONFLICT (id) DO UPDATE SET id = excluded.id"):
        with db.as_user(world.ann):
            touched = attempt(db, statement + action, values)
        taken = {"": "23505", " ON CONFLICT DO NOTHING": 0}.get(action, "42501")
        assert touched == (taken if as_own and table in WRITABLE else "42501"), action


@pytest.mark.rule("HUGO-22", "refuses")
@pytest.mark.parametrize("table", WRITABLE)
def test_a_taken_id_tells_nothing_of_the_row_that_has_it(
    db: Person, world: World, anns: dict[str, Any], bobs: dict[str, Any], table: str
) -> None:
    statement = copied(db, table, anns[table], "id")
    for action in ("", " ON CONFLICT (id) DO UPDATE SET id = excluded.id"):
        with db.as_user(world.ann):
            told = telling(db, statement + action, {"id": bobs[table]})
        assert told[3:] == (None, None)
        assert "Private" not in str(told)
        assert str(world.bob) not in str(told)


# What a row of one's own could be attached to.
PARENTS = [(table, column) for table in ("users", *WRITABLE) for column in OWNED[table]]


@pytest.mark.rule("HUGO-22", "refuses")
@pytest.mark.parametrize(("table", "column"), PARENTS)
def test_nobody_moves_a_row_to_another(
    db: Person, world: World, anns: dict[str, Any], bobs: dict[str, Any], table: str, column: str
) -> None:
    target = bobs["conversations"] if column == "conversation_id" else world.bob
    statement = f"UPDATE {table} SET {column} = %(target)s"
    with db.as_user(world.ann):
        told = [telling(db, statement, {"target": parent}) for parent in (target, uuid4())]
        assert told[0] == told[1]
        assert db.value(f"SELECT count(*) FROM {table} WHERE id = %s", [anns[table]]) == 1


ATTACHMENTS = {
    "message": "INSERT INTO messages (conversation_id, role, content) VALUES (%(target)s, 'user', 'Mine')",
    "message under the own name": "INSERT INTO messages (conversation_id, role, content, user_id, app_id)"
    " VALUES (%(target)s, 'user', 'Mine', current_user_id(), %(app)s)",
    "message under the other's name": "INSERT INTO messages (conversation_id, role, content, user_id, app_id)"
    " VALUES (%(target)s, 'user', 'Mine', %(bob)s, %(app)s)",
    "upserted message": "INSERT INTO messages (id, conversation_id, role, content)"
    " SELECT id, %(target)s, role, content FROM messages"
    " ON CONFLICT (id) DO UPDATE SET conversation_id = excluded.conversation_id",
    "merged message": "MERGE INTO messages AS m USING (SELECT %(target)s::uuid AS id) AS c ON FALSE"
    " WHEN NOT MATCHED THEN INSERT (conversation_id, role, content) VALUES (c.id, 'user', 'Mine')",
    "memory": "INSERT INTO user_memories (user_id, app_id, conversation_id, memory_type, content)"
    " VALUES (current_user_id(), %(app)s, %(target)s, 'insight', 'Mine')",
    "closing": "SELECT close_conversation(%(target)s)",
}


@pytest.mark.rule("HUGO-22", "refuses")
@pytest.mark.parametrize("attachment", ATTACHMENTS)
def test_nothing_is_attached_to_a_conversation_of_another(
    db: Person, world: World, anns: dict[str, Any], bobs: dict[str, Any], attachment: str
) -> None:
    """Neither done nor told apart from a conversation that does not exist."""
    values = {"bob": world.bob, "app": world.app}
    with db.as_user(world.ann):
        targets = (bobs["conversations"], bobs["archived_conversations"], uuid4())
        told = [telling(db, ATTACHMENTS[attachment], {**values, "target": target}) for target in targets]
    assert len(set(told)) == 1, told


@pytest.mark.rule("HUGO-22", "refuses")
def test_nobody_is_fooled_by_tables_and_functions_of_the_same_name(
    db: Person, world: World, anns: dict[str, Any], bobs: dict[str, Any]
) -> None:
    """A caller sets the search_path and may create temporary objects; what is ours never finds them."""
    bob, target = world.bob, bobs["conversations"]
    with db.as_user(world.ann):
        db.run("CREATE TEMPORARY TABLE conversations (id uuid, user_id uuid, app_id uuid)")
        db.run("INSERT INTO pg_temp.conversations VALUES (%s, %s, %s)", [target, world.ann, world.app])
        db.run("CREATE TEMPORARY TABLE users (id uuid, oriva_user_id uuid)")
        db.run("INSERT INTO pg_temp.users VALUES (%s, %s)", [bob, world.ann])
        db.run(f"CREATE FUNCTION pg_temp.current_user_id() RETURNS uuid RETURN '{bob}'::uuid")
        db.run("CREATE FUNCTION pg_temp.is_service() RETURNS boolean RETURN TRUE")
        db.run(f'SET LOCAL search_path = pg_temp, "{db.schema}", platform')
        with db.refused("messages_conversation_id_fkey"):
            say(db, target)
        assert db.value(f'SELECT "{db.schema}".current_user_id()') == world.ann
        assert db.rows(f'SELECT 1 FROM "{db.schema}".messages WHERE user_id = %s', [bob]) == []
        with db.refused(sqlstate="P0002"):
            db.run(f'SELECT "{db.schema}".close_conversation(%s)', [target])
        with db.refused("users_authority_check", "42501"):
            db.run(f"UPDATE \"{db.schema}\".users SET subscription_tier = 'enterprise'")
        db.run(f'SET LOCAL search_path = "{db.schema}", platform, pg_temp')


@pytest.mark.rule("HUGO-22", "refuses")
@pytest.mark.parametrize(
    "statement",
    [
        "SET LOCAL row_security = off; SELECT * FROM messages",
        "ALTER TABLE messages DISABLE ROW LEVEL SECURITY",
        "DROP POLICY messages_user_access ON messages",
        "CREATE POLICY mine ON messages USING (TRUE)",
        "CREATE TABLE mine (id uuid)",
        "CREATE FUNCTION mine() RETURNS integer RETURN 1",
        "CREATE TRIGGER mine BEFORE INSERT ON messages EXECUTE FUNCTION fill_message()",
        "COPY users TO '/dev/null'",
    ],
)
def test_nobody_gets_around_the_policies(db: Person, world: World, statement: str) -> None:
    with db.as_user(world.ann), db.refused(sqlstate="42501"):
        for part in statement.split("; "):
            db.run(part)


def test_nothing_depends_on_the_search_path_of_the_caller(db: Person, world: World) -> None:
    """Every trigger of these tables fires once under a search_path that finds none of their objects."""

    def there(name: str) -> str:
        return f'"{db.schema}".{name}'

    db.run("SET LOCAL search_path = pg_catalog")
    with db.as_service():
        for kb_id, parent in (("one", None), ("two", "one")):
            base = insert(
                db, there("knowledge_bases"), kb_id=kb_id, title="Title", app_ids=["coach"], parent_kb_id=parent
            )
        entry = insert(db, there("knowledge_entries"), knowledge_base_id=base, title="Title", content="Content")
        db.run(f"SELECT {there('increment_ke_access')}(%s)", [entry])
        db.run(f"SELECT {there('increment_knowledge_access')}(%s)", [[entry]])
        db.run(f"UPDATE {there('knowledge_entries')} SET knowledge_base_id = %s, title = 'New'", [world.kb])
        db.run(f"UPDATE {there('apps')} SET display_name = 'New', knowledge_base_ids = '{{coach_kb,one}}'")
        db.run(f"UPDATE {there('knowledge_bases')} SET parent_kb_id = 'two' WHERE kb_id = 'coach_kb'")
        db.run("SET CONSTRAINTS ALL IMMEDIATE")
        db.run(f"DELETE FROM {there('knowledge_entries')}")
        insert(db, there("knowledge_entries"), knowledge_base_id=base, title="Kept", content="Content")
        closed = {"session_id": uuid4(), "user_id": world.ann, "app_id": world.app, "closed_at": "2099-01-01"}
        insert(db, there("conversations"), **closed)
        assert db.value(f"SELECT {there('close_inactive_conversations')}()") == 0
    with db.as_user(world.ann):
        db.run(f"UPDATE {there('users')} SET preferences = '{{}}'")
        conversation = insert(
            db, there("conversations"), session_id=uuid4(), user_id=world.ann, app_id=world.app, title=None
        )
        for _ in range(2):
            insert(db, there("messages"), conversation_id=conversation, role="user", content="Hello")
        db.run(f"UPDATE {there('messages')} SET content = 'New'")
        db.run(f"DELETE FROM {there('messages')} WHERE created_at = (SELECT max(created_at) FROM {there('messages')})")
        assert db.row(
            f"SELECT title, message_count, status FROM {there('close_conversation')}(%s)", [conversation]
        ) == ("Hello", 1, "closed")
        assert db.value(f"SELECT title FROM {there('knowledge_entries')}") == "Kept"
        for statement in (
            f"UPDATE {there('users')} SET email = 'new@example.org'",
            f"UPDATE {there('conversations')} SET session_id = gen_random_uuid()",
            f"UPDATE {there('conversations')} SET closed_at = NULL",
            f"UPDATE {there('messages')} SET conversation_id = gen_random_uuid()",
        ):
            refusal = attempt(db, statement)
            assert refusal in ("23514", "42501"), statement
